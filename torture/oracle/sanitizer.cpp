#include "torture/oracle/sanitizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <regex>
#include <string>

#include "harness/record/files.hpp"
#include "torture/oracle/stack_text.hpp"

namespace torture {
namespace {

namespace fs = std::filesystem;

/// The line with which a report begins, without addresses and process numbers: "AddressSanitizer:
/// heap-use-after-free".
std::optional<std::string> headline(const std::string& line) {
  static const std::regex named(R"((?:ERROR|WARNING|FATAL): (\w+Sanitizer: .+))");
  static const std::regex undefined(R"((\S+: runtime error: .+))");
  static const std::regex figures(R"( (?:\(pid=|on (?:unknown )?address).*|(?: on|:)? 0x[0-9a-f].*)");
  std::smatch match;
  if (!std::regex_search(line, match, named) && !std::regex_search(line, match, undefined)) return {};
  return std::regex_replace(match[1].str(), figures, "");
}

const char* check_of(const std::string& headline) {
  const auto says = [&headline](const char* words) { return headline.find(words) != headline.npos; };
  if (says("use-after") || says("double-free")) return "use_after_free";
  return says("data race") ? "memory_order" : "crash";
}

/// The report's first stack that names a function of ours; the next report's begin is its end.
std::vector<std::string> frames_from(const std::vector<std::string>& lines, size_t at) {
  Stack stack;
  for (; at < lines.size() && !headline(lines[at]); ++at) {
    if (const auto frame = frame_in(lines[at])) {
      stack.push_back(*frame);
    } else if (auto names = innermost(stack); !names.empty()) {
      return names;
    } else {
      stack.clear();
    }
  }
  return innermost(stack);
}

std::vector<Failure> failures_in(const fs::path& file, double at_s) {
  std::vector<Failure> failures;
  const std::vector<std::string> lines = harness::whole_lines(file);
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto head = headline(lines[i]);
    // A process that is ended because threads hang joins none of them.
    if (!head || head->find("thread leak") != head->npos) continue;
    const std::string check = check_of(*head);
    const auto known = std::ranges::find(failures, check, &Failure::check);
    if (known != failures.end()) {
      ++known->count;
      continue;
    }
    failures.push_back(
        {check, 1, at_s, *head, file.filename().string(), signature_of(check, frames_from(lines, i + 1))});
  }
  return failures;
}

}  // namespace

std::vector<Failure> sanitizer_failures(const fs::path& scenario_dir, double at_s) {
  std::vector<fs::path> files;
  std::error_code none;  // a directory that is not there holds no reports
  for (const auto& entry : fs::directory_iterator(scenario_dir, none)) {
    if (entry.path().filename().string().starts_with("sanitizer.")) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<Failure> all;
  for (const fs::path& file : files) {
    for (Failure& failure : failures_in(file, at_s)) all.push_back(std::move(failure));
  }
  return all;
}

}  // namespace torture
