// What the annotations call. An acquisition of which everything was seen before costs a look at each held lock.
//
// The held locks are a stack that handlers continue. An entry above its depth is null. Pushing raises the depth first
// and fills in the lock last; a lock that is dropped leaves a hole, and holes on top are popped. So a handler that comes
// in between, and leaves the stack as it found it, finds no entry that is half of one lock and half of another.
#include <pthread.h>
#include <signal.h>

#include "srcu/lockdep/lockdep.hpp"
#include "srcu/platform/complain.hpp"
#include "srcu/srcu.h"

uint32_t srcu_lockdep_running = 0;

namespace srcu::lockdep {

Spinlock prover_lock;

namespace {

thread_local constinit Task own_task{};

const void* hole() { return reinterpret_cast<const void*>(uintptr_t{1}); }

// The thread's first annotation since a start. `busy` stays: it is not of what was noted.
void begin(Task& task, uint32_t epoch) {
  for (auto* count : {&task.hardirqs_off, &task.softirqs_off, &task.hardirq, &task.threaded, &task.softirq, &task.nmi,
                      &task.depth})
    put(*count, 0U);
  for (Held& held : task.held) put<const void*>(held.lock, nullptr);
  put(task.epoch, epoch);
}

Task& this_task() {
  Task& task = own_task;
  const uint32_t epoch = __atomic_load_n(&srcu_lockdep_running, __ATOMIC_RELAXED);  // relaxed: a switch
  if (peek(task.epoch) != epoch) [[unlikely]] begin(task, epoch);
  return task;
}

// All signals but those that a fault or a trap raises: blocked, these would end the process.
sigset_t blockable() {
  sigset_t set;
  sigfillset(&set);
  for (const int raised : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) sigdelset(&set, raised);
  return set;
}

/// In the prover while it lives, if that can be: not in a handler that interrupted the prover.
class Examination {
 public:
  explicit Examination(Task& task) : task_(task), entered_(peek(task.busy) == 0) {
    if (!entered_) {
      counters.skipped.fetch_add(1, relaxed);  // relaxed: a statistic
      return;
    }
    const sigset_t set = blockable();
    pthread_sigmask(SIG_BLOCK, &set, &before_);
    put(task_.busy, 1U);
    signal_fence();
    prover_lock.acquire_lock();
  }
  ~Examination() {
    if (!entered_) return;
    prover_lock.drop();
    signal_fence();
    put(task_.busy, 0U);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Examination(const Examination&) = delete;
  Examination& operator=(const Examination&) = delete;

  bool entered() const { return entered_; }

 private:
  Task& task_;
  const bool entered_;
  sigset_t before_;
};

uint32_t for_readers_if(bool reading, uint32_t usage) { return reading ? usage << 1 : usage; }

// What a lock is open to that is held now.
uint32_t usage_by_state(const Task& task, uint32_t how) {
  if (peek(task.hardirqs_off)) return 0;
  return for_readers_if(reads(how), peek(task.softirqs_off) ? uint32_t{SRCU_LOCKDEP_HARDIRQS_ON} : kOn);
}

uint32_t usage_of(const Task& task, uint32_t how, bool sync) {
  uint32_t usage = SRCU_LOCKDEP_USED;
  if (!tried(how) && peek(task.hardirq)) usage |= SRCU_LOCKDEP_IN_HARDIRQ;
  if (!tried(how) && peek(task.softirq)) usage |= SRCU_LOCKDEP_IN_SOFTIRQ;
  return for_readers_if(reads(how), usage) | (sync ? 0U : usage_by_state(task, how));
}

// What handlers take has no order with what they interrupted.
uint8_t context_of(const Task& task) {
  return static_cast<uint8_t>((peek(task.nmi) != 0) * 4 + (peek(task.hardirq) != 0) * 2 + (peek(task.softirq) != 0));
}

uint8_t allowed_by(const Task& task) {
  constexpr uint8_t kAnything = SRCU_LOCKDEP_SLEEP + 1;
  if (peek(task.hardirq)) return peek(task.hardirq) > peek(task.threaded) ? SRCU_LOCKDEP_SPIN : SRCU_LOCKDEP_CONFIG;
  return peek(task.softirq) ? uint8_t{SRCU_LOCKDEP_CONFIG} : kAnything;
}

uint8_t narrower(uint8_t allowed, uint8_t inner) { return inner && inner < allowed ? inner : allowed; }

// Whether all that this acquisition would show was seen before, and was right.
bool known(const Task& task, const Acquisition& next) {
  if (!next.node || next.usage & ~peek(nodes[next.node].known)) return false;
  if (tried(next.how)) return true;
  uint8_t allowed = next.allowed;
  bool same_context = true, linking = true;
  for (uint32_t i = peek(task.depth); i-- > 0;) {
    const Held& held = task.held[i];
    if (!is_held(held)) continue;
    if (held.node == next.node && !(recursive(next.how) && reads(held.how))) return false;
    same_context = same_context && held.context == next.context;
    if (!same_context) continue;
    allowed = narrower(allowed, held.inner);
    if (!linking || !held.node) continue;
    if (!edge_known(held.node, next.node, dependency(held.how, next.how))) return false;
    linking = tried(held.how);
  }
  return needs(*next.lock_class) <= allowed;
}

void push(Task& task, const Acquisition& taken) {
  const uint32_t depth = peek(task.depth);
  if (depth == kMaxHeld) return table_full(Table::kHeld);
  put(task.depth, depth + 1);
  signal_fence();  // from here on handlers push above
  Held& held = task.held[depth];
  held.lock_class = taken.lock_class;
  held.file = taken.file;
  held.line = taken.line;
  held.node = taken.node;
  held.subclass = taken.subclass;
  held.how = taken.how;
  held.context = taken.context;
  held.inner = taken.lock_class->inner;
  signal_fence();  // whoever sees the lock sees the rest
  put(held.lock, taken.lock);
}

// Compares and exchanges in one instruction, so that a handler comes before or behind. No lock prefix: there is no other
// thread.
void lower_depth(Task& task, uint32_t from) {
#ifdef SRCU_ONE_INSTRUCTION
  uint32_t seen = from;
  __asm__ __volatile__("cmpxchgl %2, %1" : "+a"(seen), "+m"(task.depth) : "r"(from - 1) : "memory", "cc");
#else
  task.depth.compare_exchange_strong(from, from - 1, relaxed, relaxed);  // relaxed: there is no other thread
#endif
}

// A handler in between pops holes, too, all that it finds on top: then the depth is not what it was, and we look again.
void pop_holes(Task& task) {
  for (uint32_t depth = peek(task.depth); depth > 0 && peek(task.held[depth - 1].lock) == hole();
       depth = peek(task.depth)) {
    put<const void*>(task.held[depth - 1].lock, nullptr);
    signal_fence();
    lower_depth(task, depth);
    signal_fence();
  }
}

void pass(Task& task, Acquisition& next) {
  if (peek(task.nmi)) return check_nmi(task, next);
  if (known(task, next)) [[likely]]
    return;
  const Examination examination(task);
  if (examination.entered()) examine(task, next);
}

Acquisition acquisition(const Task& task, const void* lock, Class* lock_class, unsigned subclass, unsigned how,
                        bool sync) {
  Acquisition next{};
  next.lock = lock;
  next.lock_class = lock_class;
  next.node = node_of(*lock_class, subclass);
  next.subclass = static_cast<uint8_t>(subclass);
  next.how = static_cast<uint8_t>(how);
  next.usage = usage_of(task, how, sync);
  next.context = context_of(task);
  next.allowed = allowed_by(task);
  return next;
}

// Interrupts, or softirqs, are about to go on: what is held now is open to handlers.
void open_held(Task& task, const char* file, uint32_t line) {
  if (peek(task.nmi)) return;
  for (uint32_t i = 0; i < peek(task.depth); ++i) {
    const Held& held = task.held[i];
    const uint32_t usage = usage_by_state(task, held.how);
    if (!is_held(held) || !held.node || !(usage & ~peek(nodes[held.node].known))) continue;
    Point by = point_of(held);
    by.file = file;
    by.line = line;
    const Examination examination(task);
    if (examination.entered()) examine_usage(task, held.node, usage, by);
  }
}

void raise(std::atomic<uint32_t>& count) { put(count, peek(count) + 1); }
// What was raised before the start is no more than 0 here.
bool lower(std::atomic<uint32_t>& count) {
  const uint32_t was = peek(count);
  if (was) put(count, was - 1);
  return was == 1;
}

void before_fork() {
  put(own_task.busy, peek(own_task.busy) + 1);
  signal_fence();
  prover_lock.acquire_lock();
}
void after_fork() {
  prover_lock.drop();
  signal_fence();
  put(own_task.busy, peek(own_task.busy) - 1);
}

}  // namespace
}  // namespace srcu::lockdep

extern "C" {

using namespace srcu::lockdep;

void srcu_lockdep_note_acquire(const void* lock, srcu_lockdep_class* lock_class, unsigned subclass, unsigned how,
                               const void* nest, const char* file, unsigned line) {
  Task& task = this_task();
  Acquisition next = acquisition(task, lock, lock_class, subclass, how, false);
  next.nest = nest;
  next.file = file;
  next.line = line;
  pass(task, next);
  push(task, next);
}

void srcu_lockdep_note_sync(const void* lock, srcu_lockdep_class* lock_class, unsigned subclass, unsigned how,
                            const char* file, unsigned line) {
  Task& task = this_task();
  Acquisition next = acquisition(task, lock, lock_class, subclass, how, true);
  next.file = file;
  next.line = line;
  pass(task, next);
}

void srcu_lockdep_note_release(const void* lock) {
  Task& task = this_task();
  for (uint32_t i = peek(task.depth); i-- > 0;) {
    if (peek(task.held[i].lock) != lock) continue;
    put(task.held[i].lock, hole());
    srcu::signal_fence();
    return pop_holes(task);
  }
  counters.unmatched.fetch_add(1, srcu::relaxed);  // relaxed: a statistic
}

void srcu_lockdep_note_context(int what, const char* file, unsigned line) {
  Task& task = this_task();
  switch (what) {
    case SRCU_LOCKDEP_HARDIRQS_OFF_NOW:
      return raise(task.hardirqs_off);
    case SRCU_LOCKDEP_HARDIRQS_ON_NOW:
      if (lower(task.hardirqs_off)) open_held(task, file, line);
      return;
    case SRCU_LOCKDEP_SOFTIRQS_OFF_NOW:
      return raise(task.softirqs_off);
    case SRCU_LOCKDEP_SOFTIRQS_ON_NOW:
      if (lower(task.softirqs_off)) open_held(task, file, line);
      return;
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
      return;
    case SRCU_LOCKDEP_SOFTIRQ_ENTER:
      raise(task.softirqs_off);
      return raise(task.softirq);
    case SRCU_LOCKDEP_SOFTIRQ_EXIT:
      lower(task.softirq);
      lower(task.softirqs_off);
      return;
    case SRCU_LOCKDEP_NMI_ENTER:
      return raise(task.nmi);
    case SRCU_LOCKDEP_NMI_EXIT:
      lower(task.nmi);
      return;
    default:
      srcu::die("srcu_lockdep_note_context: there is no context change %d", what);
  }
}

void srcu_lockdep_note_unheld(const char* name, const char* file, unsigned line) {
  srcu::die("%s:%u: %s shall be held here, and is not", file, line, name);
}

bool srcu_lockdep_holds(const void* lock) {
  const Task& task = this_task();
  for (uint32_t i = peek(task.depth); i-- > 0;)
    if (peek(task.held[i].lock) == lock) return true;
  return false;
}

bool srcu_lockdep_holds_class(const srcu_lockdep_class* lock_class) {
  const Task& task = this_task();
  for (uint32_t i = peek(task.depth); i-- > 0;)
    if (is_held(task.held[i]) && task.held[i].lock_class == lock_class) return true;
  return false;
}

srcu_lockdep_task* srcu_lockdep_self() { return &own_task; }

void srcu_lockdep_start() {
  static uint32_t epoch = 0;
  static bool forks = false;
  const Examination examination(own_task);
  if (!forks) forks = pthread_atfork(before_fork, after_fork, after_fork) == 0;
  __atomic_store_n(&srcu_lockdep_running, ++epoch, __ATOMIC_RELAXED);  // relaxed: a switch
}

void srcu_lockdep_stop() {
  __atomic_store_n(&srcu_lockdep_running, 0U, __ATOMIC_RELAXED);  // relaxed: a switch
}

void srcu_lockdep_reset() {
  const bool on = srcu_lockdep_on();
  srcu_lockdep_stop();
  {
    const Examination examination(own_task);
    forget_nodes();
    forget_edges();
    forget_reports();
  }
  if (on) srcu_lockdep_start();
}

}  // extern "C"
