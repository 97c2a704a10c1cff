// What the annotations call. An acquisition of which everything was seen before costs a look at each held
// lock.
#include "srcu/lockdep/held.hpp"
#include "srcu/platform/complain.hpp"

namespace srcu::lockdep {
namespace {

uint8_t narrower(uint8_t allowed, uint8_t inner) { return inner && inner < allowed ? inner : allowed; }

// Whether all that this acquisition would show was seen before, and was right.
inline bool known(const Task& task, const Acquisition& next) {
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

[[gnu::noinline]] void pass_slowly(Task& task, Acquisition& next) {
  if (next.context & kNmi) return check_nmi(task, next);
  const Examination examination(task);
  if (examination.entered()) examine(task, next);
}

inline void pass(Task& task, Acquisition& next) {
  if (next.context & kNmi || !known(task, next)) [[unlikely]]
    pass_slowly(task, next);
}

inline Acquisition acquisition(const Situation& now, const void* lock, Class* lock_class, unsigned subclass,
                               unsigned how, const void* nest, const char* file, unsigned line) {
  const uint32_t usage = uint32_t{SRCU_LOCKDEP_USED} | now.on | (tried(how) ? 0U : now.in);
  return {lock,
          lock_class,
          nest,
          file,
          line,
          for_readers_if(reads(how), usage),
          node_of(*lock_class, subclass),
          static_cast<uint8_t>(subclass),
          static_cast<uint8_t>(how),
          now.context,
          now.allowed};
}

}  // namespace
}  // namespace srcu::lockdep

extern "C" {

using namespace srcu::lockdep;

void srcu_lockdep_note_acquire(const void* lock, srcu_lockdep_class* lock_class, unsigned subclass,
                               unsigned how, const void* nest, const char* file, unsigned line) {
  Task& task = this_task();
  Acquisition next = acquisition(peek(task.situation), lock, lock_class, subclass, how, nest, file, line);
  pass(task, next);
  push(task, next);
}

void srcu_lockdep_note_sync(const void* lock, srcu_lockdep_class* lock_class, unsigned subclass, unsigned how,
                            const char* file, unsigned line) {
  Task& task = this_task();
  Situation now = peek(task.situation);
  now.on = 0;  // nothing is held that a handler could wait for
  Acquisition next = acquisition(now, lock, lock_class, subclass, how, nullptr, file, line);
  pass(task, next);
}

void srcu_lockdep_note_release(const void* lock) {
  Task& task = this_task();
  const uint32_t depth = peek(task.depth);
  if (depth > 0 && peek(task.held[depth - 1].lock) == lock) [[likely]] {
    pop(task, depth);
    if (depth > 1 && peek(task.held[depth - 2].lock) == hole()) pop_holes(task);
    return;
  }
  for (uint32_t i = depth; i-- > 0;) {
    if (peek(task.held[i].lock) != lock) continue;
    return put(task.held[i].lock, hole());
  }
  counters.unmatched.fetch_add(1, srcu::relaxed);  // relaxed: a statistic
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

}  // extern "C"
