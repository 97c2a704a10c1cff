#include "torture/oracle/stack_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <regex>
#include <string_view>

namespace torture {
namespace {

bool is_ours(const std::string& name, const std::string& line) {
  static const std::regex foreign(
      R"(libc\.so|libpthread|ld-linux|libgcc|libstdc\+\+|lib[atu]b?san|libsanitizer|compiler-rt|/nptl/|/sysdeps)");
  constexpr std::array<std::string_view, 6> runtime = {"syscall", "operator", "malloc",
                                                       "calloc",  "realloc",  "free"};
  return name[0] != '_' && name[0] != '<' && !name.starts_with("harness::") && !name.starts_with("std::") &&
         std::ranges::find(runtime, name) == runtime.end() && !std::regex_search(line, foreign);
}

// "wait<f()::<lambda()> > (x) at y" is wait; what begins with an angle, as "<signal handler called>", keeps
// it.
std::string plain_name(const std::string& text) {
  std::string name;
  int depth = 0;
  for (const char c : text) {
    depth += c == '<' && !name.empty();
    if (depth == 0 && (c == ' ' || c == '(')) break;
    if (depth == 0) name += c;
    depth -= c == '>' && depth > 0;
  }
  return name;
}

// Names of templates come with their type: "void serve<int>(int) file:1".
std::string without_type(const std::string& text) {
  static const std::regex type(R"(^\w+[*&]* ([A-Za-z_~][\w:~]*[<(].*))");
  std::smatch match;
  return std::regex_match(text, match, type) ? match[1].str() : text;
}

}  // namespace

std::optional<Frame> frame_in(const std::string& line) {
  static const std::regex frame(R"(^\s*#\d+\s+(?:0x[0-9a-fA-F]+\s+in\s+)?([A-Za-z_~<].*)?)");
  std::smatch match;
  if (!std::regex_search(line, match, frame)) return {};
  if (!match[1].matched) return Frame{"?", false};
  const std::string name = plain_name(without_type(match[1]));
  return Frame{name, is_ours(name, line)};
}

std::vector<std::string> innermost(const Stack& stack) {
  std::vector<std::string> names;
  for (const Frame& f : stack) {
    if (f.ours && names.size() < 3) names.push_back(f.function);
  }
  return names;
}

std::string signature_of(const std::string& check, const std::vector<std::string>& frames) {
  return frames.empty() ? check : fmt::format("{}:{}", check, fmt::join(frames, "<"));
}

}  // namespace torture
