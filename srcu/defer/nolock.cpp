// nolock: a second entry point, call_srcu_nolock(), for callers who do not know what is held; it posts directly where that
// is safe, and otherwise stages. call_srcu() stays as `direct`. The variants differ in how they tell.
//
// Proposed by McKenney as his second option, and preferred by Boqun Feng; Kumar Kartikeya Dwivedi named the table of held
// locks, and the lock bit as too conservative.
// Claims: call_srcu() pays for no check; call_srcu_nolock() is safe in any context, as far as the variant tells right:
//   always            never asks, so it is never wrong
//   irqs_off          right if every lock that a post can reach is only ever held with interrupts off
//   in_nmi            an NMI alone; wrong under the runqueue's, the pool's, a timer base's and SRCU's own locks
//   held_lock_table   asks whether this thread holds any lock that a post can reach: SRCU's own, and the host's
//   lock_bit          asks whether the domain's own locks are held by anybody: too careful where another thread holds them,
//                     and wrong under the host's, of which it knows nothing
// Costs: callers must choose, and those who forget are as with `direct`. A table costs each lock two stores.
#include "srcu/core/usage.hpp"
#include "srcu/defer/strategy.hpp"

namespace srcu {
namespace {

bool ever(Usage&) { return true; }

// In NMI always: no lock is waited for there, whoever holds it.
bool holding_a_lock(Usage& usage) { return in_nmi() || holds_spinlock() || usage.host->holds_lock(); }

bool while_own_locks_are_held(Usage& usage) { return usage.lock.is_taken() || usage.data.lock.is_taken(); }

constexpr Strategy variant(const char* name, const char* sentence, Bears bears, bool (*must_stage_nolock)(Usage&)) {
  return {.name = name,
          .sentence = sentence,
          .bears = bears,
          .must_stage = never,
          .must_stage_nolock = must_stage_nolock,
          .kick = kick_now};
}

}  // namespace

constinit const Strategy nolock_always =
    variant("nolock:always", "call_srcu_nolock() stages every post; call_srcu() stays direct, in this and all of nolock",
            Bears::kAnything, ever);
constinit const Strategy nolock_irqs_off =
    variant("nolock:irqs_off", "call_srcu_nolock() stages with interrupts off and in NMI; plain nolock is this one",
            Bears::kAnything, with_irqs_off_or_in_nmi);
constinit const Strategy nolock_in_nmi =
    variant("nolock:in_nmi", "call_srcu_nolock() stages in NMI alone, and trusts its caller elsewhere", Bears::kNmi,
            only_in_nmi);
constinit const Strategy nolock_held_lock_table =
    variant("nolock:held_lock_table",
            "call_srcu_nolock() stages if the caller is seen to hold any lock that a post can reach, which takes a table of "
            "all of them",
            Bears::kAnything, holding_a_lock);
constinit const Strategy nolock_lock_bit =
    variant("nolock:lock_bit",
            "call_srcu_nolock() stages if the lock words of the domain say held, by whomever: too careful there, and blind to "
            "all other locks",
            Bears::kNoHandler, while_own_locks_are_held);

}  // namespace srcu
