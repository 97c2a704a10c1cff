// Whether a post had to be deferred: the judge of those that tell by rules.
#pragma once

namespace srcu {
struct Usage;
}

namespace torture::kernel {

/// Whether a post by the direct path, here and now, would come to a lock that its own thread holds. Follows that path lock by
/// lock, as far as it goes in the state at hand: the domain's list; its update side, if a grace period must be asked for; and
/// if nobody drives one yet, the pool where the work goes, the worker that is woken there, its runqueue, and the timer base
/// where the wake-up arms a timer. In an NMI always: whom it hits is chance, and he may hold any of them.
///
/// So it knows what this thread would do to itself, not what another one may do: who holds another CPU's lock need not defer by
/// this, though a cycle may await him. The matrix, which knows both, calls no deferral needless where its predictions forbid
/// the direct path.
///
/// Takes no lock, so what other threads do meanwhile may be missed. Of the domain's two locks it knows who holds them only by
/// there being one that this thread holds.
bool post_must_be_deferred(srcu::Usage& usage);

}  // namespace torture::kernel
