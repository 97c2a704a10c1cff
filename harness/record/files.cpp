#include "harness/record/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "harness/base/errors.hpp"

namespace harness {
namespace {

std::string cure_of(int error, const char* option) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return fmt::format("; free some space or choose another {}", option);
    case EFBIG:
      return "; raise the limit on file sizes (ulimit -f)";
    case EACCES:
    case EROFS:
      return fmt::format("; choose a writable {}", option);
    case ENOENT:
    case ENOTDIR:
      return "; make its directory first";
    default:
      return "";
  }
}

[[noreturn]] void refuse(const char* what, const std::filesystem::path& path, const char* option = "--out") {
  const int error = errno;
  throw Broken(
      fmt::format("cannot {} {}: {}{}", what, path.string(), std::strerror(error), cure_of(error, option)));
}

void write_all(int fd, std::string_view text, const std::filesystem::path& path,
               const char* option = "--out") {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) refuse("write", path, option);
    text.remove_prefix(static_cast<size_t>(n));
  }
}

bool ends_in_mid_line(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in || in.tellg() == 0) return false;
  in.seekg(-1, std::ios::end);
  return in.get() != '\n';
}

}  // namespace

void write_once(const std::filesystem::path& path, std::string_view text, const char* option) {
  const std::filesystem::path temporary = path.string() + ".tmp";
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) refuse("create", path, option);
  try {
    write_all(fd, text, path, option);
    if (fsync(fd) != 0) refuse("write", path, option);
    if (rename(temporary.c_str(), path.c_str()) != 0) refuse("replace", path, option);
  } catch (...) {
    close(fd);
    unlink(temporary.c_str());
    throw;
  }
  close(fd);
}

Appender::Appender(const std::filesystem::path& path) : path_(path) {
  const bool cut = ends_in_mid_line(path);
  fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) refuse("open", path);
  if (cut) write_all(fd_, "\n", path_);
}

Appender::~Appender() { close(fd_); }

void Appender::line(std::string_view text) {
  std::string whole(text);
  whole += '\n';
  write_all(fd_, whole, path_);
}

std::string read_text(const std::filesystem::path& path) {
  std::error_code error;
  const bool regular = std::filesystem::is_regular_file(path, error);  // of others, some have no end, or no beginning
  if (!error && !regular) throw Broken(fmt::format("cannot read {}: no regular file", path.string()));
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Broken(fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> whole_lines(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  std::vector<std::string> lines;
  size_t begin = 0;
  for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back(text.substr(begin, end - begin));
  }
  return lines;
}

}  // namespace harness
