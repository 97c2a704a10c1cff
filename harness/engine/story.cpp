#include "harness/engine/story.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

std::string who(Agent agent, const Recording& recording) {
  const unsigned thread = agent % kMaxThreads;
  const std::string& name = recording.threads[thread];
  return fmt::format("T{}{}{}{}", thread, agent >= kBufferOf && agent < kFenceOf ? "'s store buffer" : "", name.empty() ? "" : " ", name);
}

/// Empty for what changes nothing, or has nothing to do with locks that have names.
std::string what_with_locks(const Event& event, const Recording& recording) {
  if (event.step.kind == Kind::kHandler) return "its handler runs";
  const auto lock = recording.locks.find(event.step.address);
  if (lock == recording.locks.end()) return "";
  switch (event.step.kind) {
    case Kind::kModify: return event.read == 0 ? "takes " + lock->second : "";
    case Kind::kStore: return event.written == 0 ? "drops " + lock->second : "";
    case Kind::kWait: return event.changed ? "waits for " + lock->second : "";
    default: return "";
  }
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
    case Kind::kFenced: return fmt::format("is fenced by T{}'s membarrier", number(event.read));
    case Kind::kFlush: return "makes a store visible";
    case Kind::kClock: return fmt::format("looks at the clock: {} ns", static_cast<uint64_t>(event.read));
    case Kind::kHandler: return "its handler runs";
    case Kind::kFork: return "is alone, in a forked child";
    case Kind::kLook: return fmt::format("finds T{} {}", number(event.read), event.changed ? "gone" : "there");
    case Kind::kCheck: return "check";
    case Kind::kBegin: break;
  }
  return "begins";
}

/// Where a lock was used: the first few places on the way out that are in no header, which is where locks themselves are.
std::string places_of(const Event& event, std::map<uintptr_t, std::vector<std::string>>& lines) {
  constexpr size_t kMost = 4;
  std::vector<std::string> places;
  for (const uintptr_t caller : event.callers)
    for (const std::string& line : lines[caller]) {
      if (line.find(".c") == line.npos || places.size() == kMost) continue;
      if (places.empty() || places.back() != line) places.push_back(line);
    }
  return fmt::format("{}", fmt::join(places, " < "));
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

namespace {

std::string line(const std::string& who, size_t width, Agent agent, const std::string& what, const std::string& where) {
  const bool to_the_right = agent % 2 == 0 && agent != 0;
  return fmt::format("{:<{}} {:<56} {}", who, width, (to_the_right ? "    " : "") + what, where);
}

std::vector<const Event*> told_of(const Recording& recording, size_t from) {
  const Shared shared(recording.events);
  std::vector<const Event*> told;
  for (size_t i = from; i < recording.events.size(); ++i)
    if (shared.matters(recording.events[i])) told.push_back(&recording.events[i]);
  return told;
}

size_t width_of(const std::vector<const Event*>& told, const Recording& recording) {
  size_t width = 4;
  for (const Event* event : told) width = std::max(width, who(event->agent, recording).size());
  return width;
}

/// Those of the events that are `told`; the others are counted where they were.
std::vector<std::string> tell_some(const std::vector<const Event*>& events, const std::vector<bool>& told, const Recording& recording) {
  const size_t width = width_of(events, recording);
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
    if (left_out != 0) story.push_back(fmt::format("{:<{}} ... {} step{}", "", width, left_out, left_out == 1 ? "" : "s"));
    left_out = 0;
    if (i == events.size()) break;
    const Event& event = *events[i];
    story.push_back(line(who(event.agent, recording), width, event.agent, what(event), event.step.pc != 0 ? lines.at(event.step.pc) : ""));
  }
  return story;
}

/// Between the two, nobody did anything with a lock.
bool drops_at_once(const Event& takes, const Event& drops) {
  return takes.agent == drops.agent && takes.step.address == drops.step.address && takes.step.kind == Kind::kModify && drops.step.kind == Kind::kStore;
}

std::vector<std::string> tell_locks(const Recording& recording) {
  std::vector<const Event*> told;
  for (size_t i = recording.told_from; i < recording.events.size(); ++i) {
    const Event& event = recording.events[i];
    if (!what_with_locks(event, recording).empty()) told.push_back(&event);
  }
  std::set<uintptr_t> callers;
  for (const Event* event : told) callers.insert(event->callers.begin(), event->callers.end());
  auto lines = inlined_lines_of(callers);
  const size_t width = width_of(told, recording);
  std::vector<std::string> story;
  for (size_t i = 0; i < told.size(); ++i) {
    const Event& event = *told[i];
    std::string what = what_with_locks(event, recording);
    if (i + 1 < told.size() && drops_at_once(event, *told[i + 1])) {
      what = "takes and drops " + recording.locks.at(event.step.address);
      ++i;
    }
    story.push_back(line(who(event.agent, recording), width, event.agent, what, places_of(event, lines)));
  }
  return story;
}

void cut(std::vector<std::string>& story, size_t most) {
  if (story.size() <= most) return;
  const size_t left_out = story.size() - most + 1;
  const auto from = story.begin() + static_cast<ptrdiff_t>(most / 3);
  *from = fmt::format("     ... {} steps", left_out);
  story.erase(from + 1, from + static_cast<ptrdiff_t>(left_out));
}

}  // namespace

std::vector<std::string> tell(const Recording& recording, const Outcome& outcome, size_t most) {
  if (outcome.kind == Outcome::Kind::kDeadlock && !recording.locks.empty()) {
    auto story = tell_locks(recording);
    cut(story, most);
    return story;
  }
  const auto events = told_of(recording, recording.told_from);
  return tell_some(events, most_relevant(events, outcome, most), recording);
}

std::vector<std::string> tell_in_full(const Recording& recording) {
  const auto events = told_of(recording, 0);
  return tell_some(events, std::vector<bool>(events.size(), true), recording);
}

}  // namespace engine
