#include "torture/oracle/signature.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

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
  static const std::regex foreign(R"(libc\.so|libpthread|ld-linux|libgcc|libstdc\+\+|/nptl/|/sysdeps/|/sysdeps|\.\./)");
  std::vector<Stack> stacks;
  for (const std::string& line : harness::whole_lines(file)) {
    std::smatch match;
    if (!std::regex_search(line, match, frame)) {
      if (stacks.empty() || !stacks.back().empty()) stacks.emplace_back();
      continue;
    }
    if (stacks.empty()) stacks.emplace_back();
    const std::string name = match[1];
    const bool ours = !std::regex_search(line, foreign) && name[0] != '_' && name[0] != '<' && name != "syscall";
    stacks.back().push_back({name, ours});
  }
  return stacks;
}

// For a crash, the frames below the signal; otherwise those of the first thread that is inside the scheme or the
// torture's waiting for it.
std::vector<std::string> telling_frames(const std::vector<Stack>& stacks, bool crash) {
  for (const Stack& stack : stacks) {
    std::vector<std::string> names;
    bool below_signal = !crash, telling = crash;
    for (const Frame& f : stack) {
      if (f.function == "<signal") below_signal = true;
      if (!below_signal || !f.ours) continue;
      if (f.function.find("torture::Updater") != std::string::npos ||
          f.function.find("torture::Reader::") != std::string::npos ||
          f.function.find("torture::Flood") != std::string::npos) {
        telling = true;
      }
      if (names.size() < 3) names.push_back(f.function);
    }
    if (telling && !names.empty()) return names;
  }
  return {};
}

}  // namespace

std::string signature(const std::string& check, const std::string& signal, const std::filesystem::path& scenario_dir) {
  std::vector<std::string> frames;
  if (const auto file = scenario_dir / "stacks.txt"; std::filesystem::exists(file)) {
    frames = telling_frames(parse_stacks(file), check == "crash");
  }
  if (frames.empty() && check == "crash") return fmt::format("crash:{}", signal);
  return frames.empty() ? check : fmt::format("{}:{}", check, fmt::join(frames, "<"));
}

}  // namespace torture
