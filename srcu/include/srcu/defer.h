/*
 * Calls that are made later: for whoever may not take a lock where he stands, as a tracer that runs inside of anything, a
 * signal handler, an NMI. What takes locks is handed to one queue, which takes none, and a thread calls it soon.
 *
 *     struct object { struct rcu_head rcu; struct bpf_defer_node defer; ... };
 *     ...
 *     bpf_defer(&old->defer, call_srcu, &object_srcu, &old->rcu, free_object);    // instead of call_srcu(...)
 *
 * The name is that of a proposal for the Linux kernel, where BPF programs would be the callers.
 *
 *   | function        | from a deferred function  | from a callback      | holding locks | from a signal handler |
 *   |-----------------|---------------------------|----------------------|---------------|-----------------------|
 *   | bpf_defer       | yes: the next pass's      | yes                  | any           | yes                   |
 *   | bpf_defer_flush | NO: would wait for itself | NO: may not return   | (1)           | no                    |
 *
 * (1) None that a deferred function takes, nor a callback. To srcu_barrier(), cleanup_srcu_struct() and srcu_before_fork()
 * a deferred function is a callback: they are not for it. Else it may do what a callback may: it runs in the helper thread,
 * with all signals blocked, may take locks and may sleep, and others wait meanwhile.
 *
 * The helper must run: init_srcu_struct() or srcu_start_helper() before the first use. What was deferred before
 * srcu_barrier(), of any domain, has run when that begins to look for callbacks; so what a deferred call_srcu() posted is
 * waited for. cleanup_srcu_struct() waits for the queue, too. Forked children call what their parent had deferred.
 *
 * A pass makes the calls that are there as it begins, in the order of bpf_defer(). What they defer is a later pass's, not
 * sooner than a millisecond later: functions that defer themselves do not hold up the helper.
 */
#ifndef SRCU_DEFER_H
#define SRCU_DEFER_H

#include <srcu/srcu.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As call_srcu(). Others have it, too: what they do with the arguments is theirs. */
typedef void (*bpf_defer_function_t)(struct srcu_struct *ssp, struct rcu_head *head, rcu_callback_t func);

/* The caller's memory, uninitialised; the queue's from bpf_defer() until the function is called. */
struct bpf_defer_node {
  struct bpf_defer_node *next;
  bpf_defer_function_t function;
  struct srcu_struct *ssp;
  struct rcu_head *head;
  rcu_callback_t func;
};

/* Has function(ssp, head, func) called soon, by another thread. Any context. */
SRCU_API void bpf_defer(struct bpf_defer_node *node, bpf_defer_function_t function, struct srcu_struct *ssp,
                        struct rcu_head *head, rcu_callback_t func);

/* Returns when all that was deferred before has been called, and has returned. Sleeps. */
SRCU_API void bpf_defer_flush(void);

#ifdef __cplusplus
}
#endif

#endif /* SRCU_DEFER_H */
