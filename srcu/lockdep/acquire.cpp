// What the annotations call. An acquisition that the thread made before, with the same locks held, costs a
// look at its chain (chain.hpp); one of which everything was seen before, a look at each held lock.
#include "srcu/lockdep/held.hpp"
#include "srcu/platform/complain.hpp"

namespace srcu::lockdep {
namespace {

uint8_t narrower(uint8_t allowed, uint8_t inner) { return inner && inner < allowed ? inner : allowed; }

// Whether all that this acquisition would show was seen before, and was right.
inline bool known(const Task& task, const Acquisition& next) {
  if (!next.node || next.usage & ~peek(nodes[next.node].known)) return false;
  if (tried(next.how)) return true;
  uint8_t allowed = next.situation.allowed;
  bool same_context = true, linking = true;
  for (uint32_t i = peek(task.depth); i-- > 0;) {
    const Held& held = task.held[i];
    if (!is_held(held)) continue;
    if (held.node == next.node && !(recursive(next.how) && reads(held.how))) return false;
    same_context = same_context && held.situation.context == next.situation.context;
    if (!same_context) continue;
    allowed = narrower(allowed, inner_of(*held.lock_class));
    if (!linking || !held.node) continue;
    if (!edge_known(held.node, next.node, dependency(held.how, next.how))) return false;
    linking = !passes_orders_on(held.how);
  }
  return needs(*next.lock_class) <= allowed;
}

[[gnu::noinline]] void pass_slowly(Task& task, Acquisition& next) {
  if (next.situation.context & kNmi) return check_nmi(task, next);
  const Examination examination(task);
  if (examination.entered()) examine(task, next);
}

// True if there was nothing new.
inline bool pass(Task& task, Acquisition& next) {
  if (!(next.situation.context & kNmi) && known(task, next)) return true;
  pass_slowly(task, next);
  return false;
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
          now};
}

// The chain is taken before the walk: should something be forgotten meanwhile, what is kept is never met again.
[[gnu::noinline]] void acquire_unproved(const void* lock, Class* lock_class, unsigned subclass, unsigned how,
                                        const void* nest, const char* file, unsigned line) {
  Task& task = this_task();
  const Situation now = peek(task.situation);
  Acquisition next = acquisition(now, lock, lock_class, subclass, how, nest, file, line);
  const uint64_t below = peek(task.chain[peek(task.depth)]);
  const uint64_t chain = longer(below, next.node, how, now);
  if (pass(task, next)) {
    if (chain) put(place_of_chain(task, chain), chain);
    return push(task, next, chain);
  }
  push(task, next, longer(below, next.node, how, now));
}

[[gnu::noinline]] void release_below(const void* lock) {
  Task& task = this_task();
  for (uint32_t i = peek(task.depth); i-- > 0;) {
    if (peek(task.held[i].lock) != lock) continue;
    return leave_hole(task, i);
  }
  counters.unmatched.fetch_add(1, relaxed);  // relaxed: a statistic
}

}  // namespace
}  // namespace srcu::lockdep

extern "C" {

using namespace srcu::lockdep;

void srcu_lockdep_note_acquire(const void* lock, srcu_lockdep_class* lock_class, unsigned subclass,
                               unsigned how, const void* nest, const char* file, unsigned line) {
  Task& task = own_task;
  const Situation now = peek(task.situation);
  const Acquisition next = acquisition(now, lock, lock_class, subclass, how, nest, file, line);
  const uint64_t chain = hashed(peek(task.chain[peek(task.depth)]), next.node, how, now);
  if (!begun(task) || !found_right(task, chain)) [[unlikely]]
    return acquire_unproved(lock, lock_class, subclass, how, nest, file, line);
  push(task, next, chain);
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
  Task& task = own_task;
  const uint32_t depth = peek(task.depth);
  if (!begun(task) || depth == 0 || peek(task.held[depth - 1].lock) != lock) [[unlikely]]
    return release_below(lock);
  pop(task, depth);
  if (depth > 1 && peek(task.held[depth - 2].lock) == hole()) pop_holes(task);
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
