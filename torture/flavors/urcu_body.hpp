// The body that liburcu's flavours share. The including file defines, after including the flavour's header,
//   URCU(name)          the flavour's function of that name, as urcu_memb_##name
//   URCU_TABLE          the name of the table to define
//   URCU_NAME           the flavour's name
//   URCU_SIGNAL_FACT    SRCUTORTURE_READER_IN_SIGNAL, or 0
// Functions are called out of line, as a program does that is not itself under the LGPL.

#include <pthread.h>
#include <signal.h>

#include <new>

#include "torture/flavors/seen_by_tsan.hpp"
#include "torture/flavors/table.hpp"
#include "torture/ops.hpp"

namespace torture {
namespace {

/// What a posted head holds while it is with liburcu.
struct Posted {
  rcu_head rcu;
  srcutorture_cb callback;
};
static_assert(sizeof(Posted) <= sizeof(srcutorture_head));

int the_domain;  // liburcu has one domain a flavour

// The worker is made here, with all signals blocked, because it inherits the mask of whoever makes it: made
// later, it would run the torture's handlers as a thread that is no registered reader.
void* create() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  URCU(get_default_call_rcu_data)();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return &the_domain;
}

void barrier(void*, void*) {
  const UnseenByTsan allocates_what_the_worker_frees;
  URCU(barrier)();
}

void destroy(void*) { barrier(nullptr, nullptr); }

uint64_t read_lock(void*, void*) {
  URCU(read_lock)();
  return 0;
}

void read_unlock(void*, void*, uint64_t) { URCU(read_unlock)(); }

void synchronize(void*, void*) { URCU(synchronize_rcu)(); }

void on_grace_period(rcu_head* head) {
  auto* posted = reinterpret_cast<Posted*>(head);
  tsan_acquire(posted);
  posted->callback(reinterpret_cast<srcutorture_head*>(posted));
}

void call(void*, void*, srcutorture_head* head, srcutorture_cb callback) {
  auto* posted = new (head) Posted{};
  posted->callback = callback;
  tsan_release(posted);
  URCU(call_rcu)(&posted->rcu, on_grace_period);
}

// Takes the registry's mutex: the torture blocks signals around it, or a reader in a handler could wait for
// itself.
void* thread_register(void*) {
  URCU(register_thread)();
  return &the_domain;
}

void thread_unregister(void*, void*) { URCU(unregister_thread)(); }

}  // namespace

constinit const Ops URCU_TABLE =
    table({.name = URCU_NAME,
           .facts = SRCUTORTURE_SLEEPING_READER | SRCUTORTURE_NESTS | URCU_SIGNAL_FACT |
                    SRCUTORTURE_CALL_UNDER_LOCK | SRCUTORTURE_CALL_IN_READER |
                    SRCUTORTURE_STALLED_READER_BLOCKS_ALL,
           .create = create,
           .destroy = destroy,
           .read_lock = read_lock,
           .read_unlock = read_unlock,
           .synchronize = synchronize,
           .call = call,
           .thread_register = thread_register,
           .thread_unregister = thread_unregister,
           .barrier = barrier,
#ifdef URCU_QUIESCENT
           .quiescent_state = [](void*, void*) { URCU(quiescent_state)
                                                 (); },
           .offline = [](void*, void*) { URCU(thread_offline)
                                         (); },
           .online = [](void*, void*) { URCU(thread_online)
                                        (); }
#endif
    });

}  // namespace torture
