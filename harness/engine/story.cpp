#include "harness/engine/story.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "harness/engine/names.hpp"
#include "harness/engine/relevance.hpp"

namespace engine {
namespace {

const char* order_word(Order order) {
  constexpr const char* kWords[] = {"relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst"};
  return kWords[static_cast<unsigned>(order)];
}

std::string number(Value value) {
  const auto low = static_cast<uint64_t>(value);
  return low < 10'000 ? fmt::format("{}", low) : fmt::format("{:#x}", low);
}

std::string who(Agent agent) {
  const unsigned thread = agent % kMaxThreads;
  return agent < kBufferOf ? fmt::format("T{}", thread) : agent < kFenceOf ? fmt::format("T{}'s store buffer", thread) : fmt::format("T{}", thread);
}

std::string what(const Event& event) {
  const Step& step = event.step;
  const std::string at = step.size != 0 || step.address != 0 ? variable_at(step.address) : "";
  const char* const order = order_word(step.order);
  switch (step.kind) {
    case Kind::kLoad: return fmt::format("load {} = {} {}{}", at, number(event.read), order, event.old ? ", an older value" : "");
    case Kind::kStore: return fmt::format("store {} = {} {}", at, number(event.written), order);
    case Kind::kModify: return fmt::format("modify {} {} -> {} {}", at, number(event.read), number(event.written), order);
    case Kind::kExchangeIf:
      return event.changed ? fmt::format("compare-exchange {} -> {} {}", at, number(event.written), order)
                           : fmt::format("compare-exchange {} fails on {} {}", at, number(event.read), order);
    case Kind::kFence: return fmt::format("fence {}", order);
    case Kind::kRead: return fmt::format("read {}", at);
    case Kind::kWrite: return fmt::format("write {}", at);
    case Kind::kFree: return fmt::format("free {}", at);
    case Kind::kAllocate: return fmt::format("allocate {}", number(event.written));
    case Kind::kWait: return (event.changed ? "waits on " : "does not wait on ") + at;
    case Kind::kWake: return fmt::format("wakes {} on {}", number(event.written), at);
    case Kind::kLock: return fmt::format("lock {}", at);
    case Kind::kUnlock: return fmt::format("unlock {}", at);
    case Kind::kStart: return fmt::format("starts T{}", number(event.written));
    case Kind::kJoin: return fmt::format("joins T{}", number(event.read));
    case Kind::kEnd: return "ends";
    case Kind::kYield: return "yields";
    case Kind::kSleep: return "sleeps";
    case Kind::kMembarrier: return "membarrier begins";
    case Kind::kFenced: return "is fenced by a membarrier";
    case Kind::kFlush: return "makes a store visible";
    case Kind::kClock: return fmt::format("looks at the clock: {} ns", static_cast<uint64_t>(event.read));
    case Kind::kHandler: return "its handler runs";
    case Kind::kFork: return "is alone, in a forked child";
    case Kind::kCheck: return "check";
    case Kind::kBegin: break;
  }
  return "begins";
}

/// Accesses to what only one thread uses, or nobody writes, explain nothing.
class Shared {
 public:
  explicit Shared(const std::vector<Event>& events) {
    std::set<Agent> with_handler;  // as good as two threads
    for (const Event& event : events)
      if (event.step.kind == Kind::kHandler) with_handler.insert(event.agent);
    for (const Event& event : events) {
      const Step& step = event.step;
      for (uintptr_t byte = step.address; byte < step.address + std::min(step.size, 64u); byte += 1) {
        Use& use = uses_[byte];
        if (use.first == kAgents) use.first = event.agent;
        use.many |= use.first != event.agent || with_handler.contains(event.agent);
        use.written |= step.writes();
      }
    }
  }

  bool matters(const Event& event) const {
    if (event.step.kind == Kind::kBegin) return false;
    if (event.step.size == 0) return true;
    for (uintptr_t byte = event.step.address; byte < event.step.address + std::min(event.step.size, 64u); ++byte)
      if (const auto it = uses_.find(byte); it != uses_.end() && it->second.many && it->second.written) return true;
    return false;
  }

 private:
  struct Use {
    Agent first = kAgents;
    bool many = false, written = false;
  };
  std::map<uintptr_t, Use> uses_;
};

}  // namespace

std::string tell(const Outcome& outcome) {
  const auto lines = lines_of({outcome.where, outcome.before});
  std::string text = outcome.what;
  if (outcome.where != 0) text += fmt::format(", {}", lines.at(outcome.where));
  if (outcome.before != 0) text += fmt::format(", against {}", lines.at(outcome.before));
  return text;
}

std::vector<std::string> tell(const Recording& recording, const Outcome& outcome, size_t most) {
  const Shared shared(recording.events);
  std::vector<const Event*> events;
  for (const Event& event : recording.events)
    if (shared.matters(event)) events.push_back(&event);
  const std::vector<bool> told = most_relevant(events, outcome, most);
  std::set<uintptr_t> places;
  for (size_t i = 0; i < events.size(); ++i)
    if (told[i]) places.insert(events[i]->step.pc);
  const auto lines = lines_of(places);
  std::vector<std::string> story;
  for (size_t i = 0, left_out = 0; i <= events.size(); ++i) {
    if (i < events.size() && !told[i]) {
      ++left_out;
      continue;
    }
    if (left_out != 0) story.push_back(fmt::format("     ... {} step{}", left_out, left_out == 1 ? "" : "s"));
    left_out = 0;
    if (i == events.size()) break;
    const Event& event = *events[i];
    const std::string where = event.step.pc != 0 ? lines.at(event.step.pc) : "";
    const bool to_the_right = event.agent % 2 == 0 && event.agent != 0;
    story.push_back(fmt::format("{:<4} {:<56} {}", who(event.agent), (to_the_right ? "    " : "") + what(event), where));
  }
  return story;
}

}  // namespace engine
