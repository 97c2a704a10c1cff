// Where a thread is: interrupts off or on, in which handlers.
#include "srcu/lockdep/held.hpp"
#include "srcu/platform/complain.hpp"

namespace srcu::lockdep {

thread_local constinit Task own_task{};

namespace {

// What the counts of a thread come to.
Situation situation_of(const Task& task) {
  constexpr uint8_t kAnything = SRCU_LOCKDEP_SLEEP + 1;
  const uint32_t hard = peek(task.hardirq), soft = peek(task.softirq);
  Situation now{};
  now.in = static_cast<uint8_t>((hard ? SRCU_LOCKDEP_IN_HARDIRQ : 0) + (soft ? SRCU_LOCKDEP_IN_SOFTIRQ : 0));
  if (!peek(task.hardirqs_off))
    now.on = static_cast<uint8_t>(SRCU_LOCKDEP_HARDIRQS_ON +
                                  (peek(task.softirqs_off) ? 0 : SRCU_LOCKDEP_SOFTIRQS_ON));
  now.context = static_cast<uint8_t>((peek(task.nmi) ? kNmi : 0) + (hard ? 2 : 0) + (soft ? 1 : 0));
  const bool as_thread = hard ? hard == peek(task.threaded) : soft != 0;
  now.allowed = as_thread ? uint8_t{SRCU_LOCKDEP_CONFIG} : hard ? uint8_t{SRCU_LOCKDEP_SPIN} : kAnything;
  return now;
}

// Interrupts, or softirqs, are about to go on: what is held now is open to handlers.
void open_held(Task& task, const char* file, uint32_t line) {
  const Situation now = peek(task.situation);
  if (now.context & kNmi) return;
  for (uint32_t i = 0; i < peek(task.depth); ++i) {
    const Held& held = task.held[i];
    const uint32_t usage = for_readers_if(reads(held.how), now.on);
    if (!is_held(held) || !held.node || !(usage & ~peek(nodes[held.node].known))) continue;
    Point by = point_of(held);
    by.file = file;
    by.line = line;
    const Examination examination(task);
    if (examination.entered()) examine_usage(task, held.node, usage, by);
  }
}

bool raise(std::atomic<uint32_t>& count) { return put(count, peek(count) + 1), false; }
// What was raised before the start is no more than 0 here.
bool lower(std::atomic<uint32_t>& count) {
  const uint32_t was = peek(count);
  if (was) put(count, was - 1);
  return was == 1;
}

// True if interrupts, or softirqs, go on by it.
bool change_counts(Task& task, int what) {
  switch (what) {
    case SRCU_LOCKDEP_HARDIRQS_OFF_NOW:
      return raise(task.hardirqs_off);
    case SRCU_LOCKDEP_HARDIRQS_ON_NOW:
      return lower(task.hardirqs_off);
    case SRCU_LOCKDEP_SOFTIRQS_OFF_NOW:
      return raise(task.softirqs_off);
    case SRCU_LOCKDEP_SOFTIRQS_ON_NOW:
      return lower(task.softirqs_off);
    case SRCU_LOCKDEP_HARDIRQ_ENTER_THREADED:
      raise(task.threaded);
      [[fallthrough]];
    case SRCU_LOCKDEP_HARDIRQ_ENTER:
      raise(task.hardirqs_off);
      return raise(task.hardirq);
    case SRCU_LOCKDEP_HARDIRQ_EXIT_THREADED:
      lower(task.threaded);
      [[fallthrough]];
    case SRCU_LOCKDEP_HARDIRQ_EXIT:  // what was interrupted has been open before
      lower(task.hardirq);
      lower(task.hardirqs_off);
      return false;
    case SRCU_LOCKDEP_SOFTIRQ_ENTER:
      raise(task.softirqs_off);
      return raise(task.softirq);
    case SRCU_LOCKDEP_SOFTIRQ_EXIT:
      lower(task.softirq);
      lower(task.softirqs_off);
      return false;
    case SRCU_LOCKDEP_NMI_ENTER:
      return raise(task.nmi);
    case SRCU_LOCKDEP_NMI_EXIT:
      lower(task.nmi);
      return false;
    default:
      die("srcu_lockdep_note_context: there is no context change %d", what);
  }
}

}  // namespace

void begin(Task& task, uint32_t epoch) {
  for (auto* count : {&task.hardirqs_off, &task.softirqs_off, &task.hardirq, &task.threaded, &task.softirq,
                      &task.nmi, &task.depth})
    put(*count, 0U);
  put(task.situation, situation_of(task));
  for (Held& held : task.held) put<const void*>(held.lock, nullptr);
  for (auto& chain : task.chain) put(chain, uint64_t{0});
  put(task.chain[0], nothing_held(epoch));
  put(task.epoch, epoch);
}

}  // namespace srcu::lockdep

extern "C" {

using namespace srcu::lockdep;

void srcu_lockdep_note_context(int what, const char* file, unsigned line) {
  Task& task = this_task();
  const bool opens = change_counts(task, what);
  srcu::signal_fence();
  put(task.situation, situation_of(task));
  if (opens) open_held(task, file, line);
}

srcu_lockdep_task* srcu_lockdep_self() { return &own_task; }

}  // extern "C"
