#include "torture/cli/progress.hpp"

#include <fmt/color.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/base/clock.hpp"
#include "harness/base/duration.hpp"

namespace torture {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// The last whole line of a file that grows, without reading all of it.
std::string last_line(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return {};
  const auto size = static_cast<std::streamoff>(in.tellg());
  const std::streamoff from = std::max<std::streamoff>(0, size - 4096);
  in.seekg(from);
  std::string tail(static_cast<size_t>(size - from), '\0');
  in.read(tail.data(), static_cast<std::streamsize>(tail.size()));
  const size_t end = tail.rfind('\n');
  if (end == std::string::npos) return {};
  const size_t begin = end == 0 ? std::string::npos : tail.rfind('\n', end - 1);
  return tail.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1));
}

}  // namespace

Progress::Progress() : terminal_(isatty(STDERR_FILENO)), color_(terminal_ && !getenv("NO_COLOR")) {}

void Progress::begin(const std::string& scenario, const std::string& flavor, double duration_s,
                     const std::filesystem::path& scenario_dir) {
  scenario_ = scenario;
  dir_ = scenario_dir;
  duration_s_ = duration_s;
  begin_ns_ = shown_ns_ = harness::now_ns();
  fmt::print(stderr, "{}: {} for {}\n", scenario, flavor, harness::duration_words(duration_s));
}

std::string Progress::line() const {
  const auto sample = nlohmann::json::parse(last_line(dir_ / "stats.jsonl"), nullptr, false);
  const double passed = static_cast<double>(harness::now_ns() - begin_ns_) / 1e9;
  const double left = std::max(0.0, duration_s_ - passed);
  if (!sample.is_object()) return fmt::format("{}: {:.0f} s left", scenario_, left);
  const double t = std::max(sample.value("t_s", 0.0), 0.001);
  return fmt::format(
      "{}: {:.0f} s left, {:.0f} grace periods/s, {:.2e} reads, worst grace period now {:.2f} ms, "
      "{:.0f} failures",
      scenario_, left, sample.value("gps", 0.0) / t, sample.value("reads", 0.0),
      sample.value("gp_max_ns", 0.0) / 1e6, sample.value("failures", 0.0));
}

void Progress::tick() {
  const uint64_t every = terminal_ ? kSecond : 60 * kSecond;
  if (dir_.empty() || harness::now_ns() - shown_ns_ < every) return;  // empty: the canary runs
  shown_ns_ = harness::now_ns();
  if (terminal_) {
    fmt::print(stderr, "\r\033[K{}", line());
  } else {
    fmt::print(stderr, "{}\n", line());
  }
  std::fflush(stderr);
}

void Progress::clear() {
  if (terminal_) fmt::print(stderr, "\r\033[K");
}

void Progress::end(const std::string& verdict, const std::string& why) {
  clear();
  dir_.clear();
  const std::string text = why.empty() ? verdict : fmt::format("{} ({})", verdict, why);
  if (color_) {
    const auto color = verdict == "SUCCESS" ? fmt::terminal_color::green : fmt::terminal_color::red;
    fmt::print(stderr, "{}: {}\n", scenario_, fmt::format(fmt::fg(color), "{}", text));
  } else {
    fmt::print(stderr, "{}: {}\n", scenario_, text);
  }
}

}  // namespace torture
