#include "harness/record/run_dir.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <system_error>

#include "harness/base/errors.hpp"

namespace harness {
namespace {

namespace fs = std::filesystem;

void make(const fs::path& dir) {
  std::error_code error;
  fs::create_directories(dir, error);
  if (error || access(dir.c_str(), W_OK | X_OK) != 0) {
    throw Broken(fmt::format("cannot write in {}: {}; choose a writable --out", dir.string(),
                             error ? error.message() : std::strerror(errno)));
  }
}

void refuse_used(const fs::path& dir) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(dir, error))) return;
  if (!fs::is_directory(dir, error))
    throw UsageError(fmt::format("--out {} is no directory; name a new one", dir.string()));
  if (!fs::is_empty(dir, error)) {
    throw UsageError(fmt::format("--out {} is not empty; results are never overwritten, name a new directory",
                                 dir.string()));
  }
}

// A second run in the same second gets a number, also if both begin at the same time.
fs::path make_fresh(const std::string& name) {
  const fs::path results = "results";
  make(results);
  const std::string stem = fmt::format("{:%Y.%m.%d-%H.%M.%S}-{}", fmt::localtime(std::time(nullptr)), name);
  fs::path dir = results / stem;
  std::error_code error;
  for (int i = 2; !fs::create_directory(dir, error); ++i) {
    if (error && !fs::exists(dir)) break;
    dir = results / fmt::format("{}.{}", stem, i);
  }
  make(dir);
  return dir;
}

void point_latest_to(const fs::path& dir) {
  const fs::path link = dir.parent_path() / "latest", temporary = dir.parent_path() / fmt::format(".latest.{}.tmp", getpid());
  std::error_code ignored;  // a convenience: a run does not fail for it
  fs::remove(temporary, ignored);
  fs::create_directory_symlink(dir.filename(), temporary, ignored);
  fs::rename(temporary, link, ignored);
}

}  // namespace

fs::path create_run_dir(const std::optional<fs::path>& out, const std::string& name) {
  if (out) {
    refuse_used(*out);
    make(*out);
    return *out;
  }
  const fs::path dir = make_fresh(name);
  point_latest_to(dir);
  return dir;
}

}  // namespace harness
