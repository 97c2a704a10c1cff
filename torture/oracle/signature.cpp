#include "torture/oracle/signature.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <regex>
#include <vector>

#include "harness/record/files.hpp"

namespace torture {
namespace {

struct Frame {
  std::string function;
  bool ours;  ///< Of the project or the scheme, not of libc, the kernel or the debugger's view of a signal.
};
using Stack = std::vector<Frame>;

// gdb's and our own frames: "#3  0x00007f in name (args) at file:1", "#3 name ...".
std::vector<Stack> parse_stacks(const std::filesystem::path& file) {
  static const std::regex frame(R"(^\s*#\d+\s+(?:0x[0-9a-fA-F]+\s+in\s+)?([A-Za-z_~<][^\s(]*))");
  static const std::regex foreign(
      R"(libc\.so|libpthread|ld-linux|libgcc|libstdc\+\+|/nptl/|/sysdeps/|/sysdeps|\.\./)");
  std::vector<Stack> stacks;
  for (const std::string& line : harness::whole_lines(file)) {
    std::smatch match;
    if (!std::regex_search(line, match, frame)) {
      if (stacks.empty() || !stacks.back().empty()) stacks.emplace_back();
      continue;
    }
    if (stacks.empty()) stacks.emplace_back();
    const std::string name = match[1];
    const bool ours = !std::regex_search(line, foreign) && name[0] != '_' && name[0] != '<' &&
                      !name.starts_with("harness::") && name != "syscall";
    stacks.back().push_back({name, ours});
  }
  return stacks;
}

// Up to three innermost frames of our own; for a crash those below the signal.
std::vector<std::string> innermost(const Stack& stack, bool crash) {
  std::vector<std::string> names;
  bool counts = !crash;
  for (const Frame& f : stack) {
    if (f.function == "<signal") counts = true;
    if (counts && f.ours && names.size() < 3) names.push_back(f.function);
  }
  return names;
}

// A crash shows in the thread that handles its signal; a hang first of all in an updater.
std::vector<std::string> telling_frames(const std::vector<Stack>& stacks, bool crash) {
  const std::vector<std::string> places =
      crash ? std::vector<std::string>{"<signal"}
            : std::vector<std::string>{"torture::Updater::", "torture::Fakewriter::",
                                       "torture::BarrierTorture::", "torture::Flood::", "torture::Reader::"};
  for (const std::string& place : places) {
    for (const Stack& stack : stacks) {
      const auto there = [&place](const Frame& f) { return f.function.starts_with(place); };
      if (!std::ranges::any_of(stack, there)) continue;
      if (const auto names = innermost(stack, crash); !names.empty()) return names;
    }
  }
  return {};
}

}  // namespace

std::string signature(const std::string& check, const std::string& signal,
                      const std::filesystem::path& scenario_dir) {
  std::vector<std::string> frames;
  if (const auto file = scenario_dir / "stacks.txt"; std::filesystem::exists(file)) {
    frames = telling_frames(parse_stacks(file), check == "crash");
  }
  if (frames.empty() && check == "crash") return fmt::format("crash:{}", signal);
  return frames.empty() ? check : fmt::format("{}:{}", check, fmt::join(frames, "<"));
}

}  // namespace torture
