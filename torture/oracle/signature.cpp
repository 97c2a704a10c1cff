#include "torture/oracle/signature.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/record/files.hpp"
#include "torture/oracle/stack_text.hpp"

namespace torture {
namespace {

std::vector<Stack> parse_stacks(const std::filesystem::path& file) {
  std::vector<Stack> stacks(1);
  for (const std::string& line : harness::whole_lines(file)) {
    if (const auto frame = frame_in(line)) {
      stacks.back().push_back(*frame);
    } else if (!stacks.back().empty()) {
      stacks.emplace_back();
    }
  }
  return stacks;
}

/// A thread's role as failures name it, and what its stack holds.
struct Role {
  const char *word, *function;
};

// The role that the message names comes first, then the likely ones.
std::vector<Role> roles_for(const std::string& message) {
  std::vector<Role> roles = {{"updater", "torture::Updater::"},
                             {"fakewriter", "torture::Fakewriter::"},
                             {"barrier", "torture::BarrierTorture::run_barrier"},
                             {"flood", "torture::Flood::"},
                             {"reader", "torture::Reader::"}};
  std::stable_partition(roles.begin(), roles.end(),
                        [&](const Role& r) { return message.find(r.word) != message.npos; });
  return roles;
}

// Of the first stack that holds a frame which begins with `place`; with `from_there` only what lies below it.
std::vector<std::string> frames_at(const std::vector<Stack>& stacks, const char* place, bool from_there) {
  for (const Stack& stack : stacks) {
    const auto there =
        std::ranges::find_if(stack, [place](const Frame& f) { return f.function.starts_with(place); });
    if (there == stack.end()) continue;
    if (auto names = innermost(Stack(from_there ? there : stack.begin(), stack.end())); !names.empty())
      return names;
  }
  return {};
}

// A crash shows in the thread that handles its signal, below the handler; a hang in the thread that the
// message names.
std::vector<std::string> telling_frames(const std::vector<Stack>& stacks, bool crash,
                                        const std::string& message) {
  if (crash) return frames_at(stacks, "<signal", true);
  for (const Role& role : roles_for(message)) {
    if (auto names = frames_at(stacks, role.function, false); !names.empty()) return names;
  }
  return {};
}

}  // namespace

std::string signature(const std::string& check, const std::string& message, const std::string& signal,
                      const std::filesystem::path& scenario_dir) {
  std::vector<std::string> frames;
  if (const auto file = scenario_dir / "stacks.txt"; std::filesystem::is_regular_file(file)) {
    frames = telling_frames(parse_stacks(file), check == "crash", message);
  }
  if (frames.empty() && check == "crash") return fmt::format("crash:{}", signal);
  return signature_of(check, frames);
}

}  // namespace torture
