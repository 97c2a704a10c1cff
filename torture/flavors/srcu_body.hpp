// What this project's SRCU flavours share. Each table differs in its kind of reader and in how its domain is made.
#pragma once

#include <srcu/srcu.h>

#include <new>

#include "torture/flavors/table.hpp"

namespace torture::srcu_flavor {

inline srcu_struct* domain(void* dom) { return static_cast<srcu_struct*>(dom); }

/// What a posted head holds while it is with SRCU.
struct Posted {
  rcu_head rcu;  // first: the callback casts
  srcutorture_cb callback;
};
static_assert(sizeof(Posted) <= sizeof(srcutorture_head));

inline void on_grace_period(rcu_head* head) {
  auto* posted = reinterpret_cast<Posted*>(head);
  posted->callback(reinterpret_cast<srcutorture_head*>(posted));
}

/// What fresh domains get.
inline const char* strategy = "defer_irqoff";
inline void (*prepare)(srcu_struct* ssp) = nullptr;

inline bool made_ready(srcu_struct* ssp) {
  if (srcu_set_strategy(ssp, strategy) != 0) return false;
  if (prepare) prepare(ssp);
  return true;
}

template <int (*init)(srcu_struct*)>
void* create() {
  auto* made = new srcu_struct;
  if (init(made) == 0 && made_ready(made)) return made;
  delete made;
  return nullptr;
}

inline void destroy(void* dom) {
  srcu_barrier(domain(dom));
  cleanup_srcu_struct(domain(dom));
  delete domain(dom);
}

inline void call(void* dom, void*, srcutorture_head* head, srcutorture_cb callback) {
  auto* posted = new (head) Posted{};
  posted->callback = callback;
  call_srcu_nolock(domain(dom), &posted->rcu, on_grace_period);
}

inline void print_state(void* dom, FILE* file) {
  char line[256];
  srcu_describe(domain(dom), line, sizeof line);
  fprintf(file, "%s\n", line);
}

/// The table of a flavour with this kind of reader, on a domain that init() makes.
template <int (*init)(srcu_struct*)>
constexpr Ops body(const char* name, uint64_t (*lock)(void*, void*), void (*unlock)(void*, void*, uint64_t)) {
  return table({.name = name,
                .facts = SRCUTORTURE_SLEEPING_READER | SRCUTORTURE_NESTS | SRCUTORTURE_READER_IN_SIGNAL |
                         SRCUTORTURE_CALL_IN_SIGNAL | SRCUTORTURE_CALL_UNDER_LOCK | SRCUTORTURE_CALL_IN_READER |
                         SRCUTORTURE_STALLED_READER_BLOCKS_ALL | SRCUTORTURE_GP_SEQ_EXACT,
                .create = create<init>,
                .destroy = destroy,
                .read_lock = lock,
                .read_unlock = unlock,
                .synchronize = [](void* dom, void*) { synchronize_srcu(domain(dom)); },
                .call = call,
                .expedited = [](void* dom, void*) { synchronize_srcu_expedited(domain(dom)); },
                .barrier = [](void* dom, void*) { srcu_barrier(domain(dom)); },
                .get_state = [](void* dom) -> uint64_t { return get_state_synchronize_srcu(domain(dom)); },
                .start_poll = [](void* dom, void*) -> uint64_t { return start_poll_synchronize_srcu(domain(dom)); },
                .poll_state = [](void* dom, uint64_t cookie) { return poll_state_synchronize_srcu(domain(dom), cookie); },
                .gp_seq = [](void* dom) -> uint64_t { return srcu_batches_completed(domain(dom)); },
                .reader_balance = [](void* dom) { return srcu_open_sections(domain(dom)); },
                .print_state = print_state});
}

}  // namespace torture::srcu_flavor
