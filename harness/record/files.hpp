// Files that survive kill -9 at any byte.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace harness {

/// Writes `text` to `path` in one step: readers see the old file, or the new one whole. Broken if it cannot
/// be; its line names the `option` by which another place can be chosen.
void write_once(const std::filesystem::path& path, std::string_view text, const char* option = "--out");

/// A file that grows by whole lines: each goes to the kernel in one write(2), so a killed process cuts at
/// most its last. One thread at a time.
class Appender {
 public:
  /// Creates the file, or goes on at its end; a cut last line, left by somebody killed, is ended first.
  /// Broken if it cannot be opened.
  explicit Appender(const std::filesystem::path& path);
  ~Appender();
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  /// `text` without its line end, which is added. Broken, naming the file, when the disk is full or fails.
  void line(std::string_view text);

 private:
  std::filesystem::path path_;
  int fd_;
};

/// The whole lines of a file, without their ends; a cut last line is left out. Broken if it cannot be read.
std::vector<std::string> whole_lines(const std::filesystem::path& path);

/// The whole text of a file. Broken if it cannot be read.
std::string read_text(const std::filesystem::path& path);

}  // namespace harness
