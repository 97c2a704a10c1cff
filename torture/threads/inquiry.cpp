#include "torture/threads/inquiry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>

#include "harness/base/clock.hpp"
#include "harness/supervise/proc.hpp"
#include "harness/threads/cross_call.hpp"

namespace torture {
namespace {

char state_of(pid_t tid) {
  const auto stat = harness::proc_stat(getpid(), tid);
  return stat ? stat->state : '?';
}

/// Ready to run, and not run since it had used so much CPU time.
bool starved(pid_t tid, uint64_t cpu_ns) {
  return tid != 0 && state_of(tid) == 'R' && harness::thread_cpu_ns(tid) == cpu_ns;
}

}  // namespace

/// One visitor, and what it said at the looks so far.
struct Inquiry::Witness {
  Witness(const Visitor& v, std::string n) : visitor(v), name(std::move(n)) {}

  // Runs in a signal handler on the visitor's thread.
  static void tell(void* witness) {
    auto* self = static_cast<Witness*>(witness);
    self->told = {self->visitor.whereabouts(), sched_getcpu()};
  }

  void forget() {
    tid = 0;
    answers = 0;
    stays = delays = true;
  }
  void send() {
    const pid_t now = visitor.tid();
    if (now != tid) cpu_ns = now != 0 ? harness::thread_cpu_ns(now) : 0;
    tid = now;
    asked = now != 0 && (call.send(now) || call.owed());
  }
  bool owes() const { return asked && call.owed(); }
  bool silent() const { return asked && answers < 2; }
  // Another section since the first look: whoever comes and goes holds nothing up.
  void hear() {
    if (!asked || call.owed()) return;
    const uint64_t entered_before = last.at.entered;
    last = told;
    stays = stays && last.at.open > 0 && (answers == 0 || last.at.entered == entered_before);
    delays = delays && last.at.delays;
    ++answers;
  }

  std::string words(unsigned looks) const {
    if (answers == 0) return asked && visitor.level() == Level::kTask ? silence() : "";
    if (!stays) return {};
    const std::string place = last.at.open == 1 ? "section" : fmt::format("{} sections", last.at.open);
    const std::string when =
        answers == looks ? "every look" : fmt::format("{} looks that it answered", answers);
    const std::string seen = answers == 1
                                 ? fmt::format("was inside its {} at the one look that it answered", place)
                                 : fmt::format("has been inside the same {} at {}", place, when);
    return fmt::format("{} (CPU {}) {}{}", name, last.cpu, seen,
                       delays ? ", where it delays on purpose" : "");
  }
  std::string silence() const {
    if (starved(tid, cpu_ns)) return fmt::format("{} is given no CPU", name);
    return fmt::format("{} does not answer: blocked, or it holds signals off (state {})", name,
                       state_of(tid));
  }

  const Visitor& visitor;
  const std::string name;
  struct Answer {
    Visitor::Whereabouts at;
    int cpu;
  } told{}, last{};  // tell() writes the one, hear() the other
  harness::CrossCall call{tell, this};
  bool asked = false, stays = true, delays = true;
  pid_t tid = 0;
  uint64_t cpu_ns = 0;  // used before it was asked
  unsigned answers = 0;
};

Inquiry::Inquiry(const Cast& cast) {
  for (size_t i = 0; i < cast.visitors().size(); ++i)
    witnesses_.push_back(std::make_unique<Witness>(*cast.visitors()[i], cast.visitor_name(i)));
}

Inquiry::~Inquiry() = default;

std::string Inquiry::ask(const Looks& looks, pid_t waiting, const std::function<bool()>& over) {
  for (auto& witness : witnesses_) witness->forget();
  const uint64_t begin = harness::now_ns(), cpu_ns = harness::thread_cpu_ns(waiting);
  const unsigned taken = look_on(looks, over);
  const double ms = static_cast<double>(harness::now_ns() - begin) / 1e6;
  const bool ended = over();
  // What was seen once proves little: it counts only where nothing better is known.
  std::vector<std::string> held, perhaps;
  for (const auto& witness : witnesses_) {
    std::string words = witness->words(taken);
    if (!words.empty()) (witness->answers == 1 ? perhaps : held).push_back(std::move(words));
  }
  if (held.empty()) held = std::move(perhaps);
  if (held.empty()) {
    held.emplace_back(ended ? "no reader stayed inside a section until it ended"
                      : starved(waiting, cpu_ns)
                          ? "no reader stays inside a section, but the thread that waits "
                            "is given no CPU"
                          : "no reader stays inside a section: the scheme itself stands still");
  }
  return fmt::format("{} ({} look{} in {:.0f} ms{})", fmt::join(held, "; "), taken, taken == 1 ? "" : "s", ms,
                     ended ? ", then it ended" : "");
}

unsigned Inquiry::look_on(const Looks& looks, const std::function<bool()>& over) {
  const auto silent = [](const auto& witness) { return witness->silent(); };
  const uint64_t last = harness::now_ns() + looks.most_ns;
  for (unsigned taken = 1;; ++taken) {
    const uint64_t end = harness::now_ns() + looks.gap_ns;
    look(end);
    if (over()) return taken;
    if (taken >= looks.count && (harness::now_ns() >= last || std::ranges::none_of(witnesses_, silent)))
      return taken;
    if (const uint64_t now = harness::now_ns(); now < end) harness::sleep_ns(end - now);
  }
}

void Inquiry::look(uint64_t end_ns) {
  for (auto& witness : witnesses_) witness->send();
  const auto owes = [](const auto& witness) { return witness->owes(); };
  while (std::ranges::any_of(witnesses_, owes) && harness::now_ns() < end_ns) harness::sleep_ns(50'000);
  for (auto& witness : witnesses_) witness->hear();
}

}  // namespace torture
