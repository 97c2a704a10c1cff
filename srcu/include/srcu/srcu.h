/*
 * Sleepable read-copy update (SRCU) for user space, with the kernel's names.
 *
 * Many read, a few replace. A reader that follows a pointer must not find the memory behind it freed. A first, wrong
 * version:
 *
 *     reader                                  updater
 *       struct config *c = current;             struct config *old = current;
 *       use(c);                                 current = fresh;
 *                                               free(old);            // a reader may be inside use(old)
 *
 * Reference counts would mend it, at the price of two atomic operations on one shared line for each reader. SRCU makes
 * the updater wait for the readers instead, and readers write to a line of their own:
 *
 *     DEFINE_STATIC_SRCU(config_srcu);
 *
 *     reader                                                       updater
 *       int idx = srcu_read_lock(&config_srcu);                      struct config *old = current;
 *       struct config *c = srcu_dereference(current, &config_srcu);  rcu_assign_pointer(current, fresh);
 *       use(c);                          // may sleep                synchronize_srcu(&config_srcu);
 *       srcu_read_unlock(&config_srcu, idx);                         free(old);
 *
 * From lock to unlock is a section. synchronize_srcu() returns when every section has ended that was open when it was
 * called. call_srcu() does not wait: it has a callback invoked then. Two updaters at a time need a lock among
 * themselves; readers do not take it.
 *
 * A domain (struct srcu_struct) is a world of its own: its grace periods wait for its readers alone. So a reader that
 * sleeps for an hour holds up its own domain and nobody else's.
 *
 * Kinds of readers. A domain has one kind, for life; down/up may be used beside srcu_read_lock, but not beside nmisafe.
 *
 *   | functions                       | domain made with        | cost of a pair | what for                              |
 *   |---------------------------------|-------------------------|----------------|---------------------------------------|
 *   | srcu_read_lock / unlock         | DEFINE_SRCU             | one fence      | the common case                       |
 *   | srcu_read_lock_nmisafe / ...    | DEFINE_SRCU             | one fence      | the same; documents handlers as users |
 *   | srcu_down_read / srcu_up_read   | DEFINE_SRCU             | one fence      | closed by another thread              |
 *   | srcu_read_lock_fast / ...       | DEFINE_SRCU_FAST        | no fence       | hot readers; updaters pay membarrier  |
 *   | ..._fast_updown                 | DEFINE_SRCU_FAST_UPDOWN | no fence       | the same, closed by another thread    |
 *
 * Who may call what. "Own" is of the same domain; locks are yours, mutexes too.
 *
 *   | function               | inside own reader  | from a callback       | holding locks | from a signal handler  |
 *   |------------------------|--------------------|-----------------------|---------------|------------------------|
 *   | read lock, unlock      | yes, nests         | yes                   | any           | yes                    |
 *   | call_srcu              | yes                | yes                   | any           | yes, (4)               |
 *   | call_srcu_nolock       | yes                | yes                   | any           | yes, (5)               |
 *   | get_state, poll_state  | yes                | yes                   | any           | yes                    |
 *   | start_poll, expedite   | yes                | yes                   | any           | no                     |
 *   | synchronize_srcu       | NO: never returns  | yes, (1)              | (2)           | no                     |
 *   | srcu_barrier           | NO: may not return | NO: never returns     | (2) (3)       | no                     |
 *   | init, set_strategy     | -                  | yes                   | any           | no                     |
 *   | cleanup                | NO: refuses        | NO: may not return    | (3)           | no                     |
 *   | srcu_before_fork       | yes, (6)           | NO: never returns     | (3)           | no                     |
 *
 * (1) All other callbacks wait meanwhile. (2) None that a reader of the domain takes in its section. (3) None that a
 * callback takes, of any domain. (4) Under the strategies defer_irqoff, which is the default, and tasks_trace, and once the
 * helper runs. (5) Under these, bpf_defer, and nolock:always, nolock:irqs_off, nolock:held_lock_table; once the helper runs.
 * (6) If no callback waits for that domain: the fork waits for the callback that runs. So do srcu_barrier() and cleanup of
 * another domain, inside a reader.
 *
 * The helper is a thread that runs callbacks, one for all domains, one after the other, with all signals blocked. They
 * may take locks that are held around call_srcu(). While one sleeps, the others wait, and so does every grace period
 * that only call_srcu() or start_poll asked for: a loop that polls waits for callbacks as srcu_barrier() does, (3).
 *
 * The first call_srcu() of a process starts it, which allocates. Where that may happen in a signal handler, or holding a
 * lock that malloc() takes, call srcu_start_helper() first; init_srcu_struct() does so by itself. No function here is a
 * cancellation point, and errno is kept.
 *
 * Where the system refuses that thread, as by RLIMIT_NPROC, whoever needs it ends the process, in a line: call_srcu(),
 * start_poll, expedite, srcu_barrier(), bpf_defer_flush(), and srcu_after_fork_child() if the parent had it. Where it
 * refuses memory, as by RLIMIT_AS, so does a domain's first use, a reader's too. srcu_start_helper() and init_srcu_struct()
 * return an error instead; after these the others do not fail so, but in a forked child.
 *
 * Costs, as seen on one x86-64 server, to have an idea: a pair 5 ns, fast 0.5 ns. synchronize_srcu() without readers
 * 0.1 us, in a fast domain 0.5 us, and a line of cache more for each thread that reads anywhere. call_srcu() 25 ns; 30 us
 * from there to the callback, but 1 ms and more where grace periods follow each other, so that one serves many.
 * A thread's first section, and a domain's first use, make a few system calls. Each time that the number of threads has
 * doubled, one first section makes one more for each thread, to find those that died unnoticed: 0.5 ms with 500.
 *
 * Limits. 64-bit Linux; gcc or clang. 8191 threads read at full speed at a time; those beyond share one slot by locked
 * instructions, as do all threads if the library was loaded by dlopen() into a process with 32 pthread keys. A kernel or
 * sandbox without membarrier() makes fast readers slower, with a fence in a call, and nothing wrong. A domain takes
 * 64 bytes of yours, which must stay where they are; once it is used, a page and a little page table, and 64 bytes for
 * each thread that reads in it, in whole pages. It reserves, but does not touch, 516 KiB of address space:
 * mlockall(MCL_FUTURE) and strict overcommit charge for all of it. A section that longjmp() or pthread_exit() leaves
 * stays open. Callbacks that wait when the process ends are not run; srcu_barrier() first if they matter. One copy of the
 * library a process: the archive in one part of it and the shared library in another, or the archive in two, count the
 * readers of a domain that both use apart, and lose sections. What has the archive in it must not be unloaded by dlclose(),
 * which would take the helper thread's code away: link it by -z nodelete, as CMake does. The shared library stays.
 *
 * Fork: a domain belongs to one process; see srcu_before_fork().
 *
 * Debug builds (SRCU_DEBUG defined for library and users alike, as the debug build's CMake target and srcu.pc do) look
 * for what the tables of this page forbid, and end the process with one line that names the culprit and the cure. Under
 * ThreadSanitizer, build the library with it, too: it must see both sides. They do not see
 * - an unlock or an up by the token of another section that is open as well: to all appearances it closes that one, which
 *   for srcu_up_read() any thread may. It is seen when that token comes once more than there are sections that have it,
 *   and until then may keep grace periods from ending;
 * - what a handler may not call, unless it interrupted the library itself; nor which locks are held;
 * - what a thread without a slot of its own (Limits) has open, so that it may wait for itself, or unlock what it has not;
 * - use while another thread is in cleanup, and fork() without the functions for it.
 *
 * Release builds do not look for misuse. What comes of it there:
 *
 *   | misuse                                           | a release build                                          |
 *   |--------------------------------------------------|----------------------------------------------------------|
 *   | fast readers in a domain of another kind         | UNSAFE: a section may be missed, and what it reads freed |
 *   | srcu_read_lock in a fast domain; nmisafe mixed   | works                                                    |
 *   | unlock without a lock, twice, by another token   | UNSAFE as above; or grace periods do not end any more    |
 *   | a fast unlock of no domain's token               | UNSAFE: counts in foreign memory                         |
 *   | up of a section by srcu_read_lock; its unlock by | works, but for fork(): the child may lose a section, or  |
 *   | another thread                                   | wait for ever for one                                    |
 *   | waiting for oneself: "NO" in the table above     | hangs; cleanup inside an own reader refuses, in a line   |
 *   | call_srcu of a head that is still waiting        | UNSAFE: callbacks are lost, or run twice                 |
 *   | call_srcu with no function                       | crashes, in the helper, when its grace period is over    |
 *   | more than 64 times rcu_read_lock_trace           | UNSAFE: as unlock by another token                       |
 *   | init of a domain in use; one that was moved      | UNSAFE: sections open in the old place are not seen      |
 *   | use before init (of zeroes), or after cleanup    | ends the process, in a line, as in debug builds          |
 *   | use while another thread is in cleanup           | UNSAFE: its memory goes away                             |
 *   | cleanup of a domain in use                       | refuses, in a line, as in debug builds                   |
 *   | in a signal handler, what the table forbids      | may hang, on a lock that the code below the handler has  |
 *   | a section that is closed in its thread's exit,   | works, but for fork(): a child of another thread may     |
 *   | by a destructor of thread-specific data          | wait for it, or lose one of its own                      |
 *   | fork() without the functions for it, and go on   | may hang in the child, where no thread runs callbacks    |
 *
 * Works in C11 and C++17; <srcu/srcu.hpp> has guards and types for C++. Include <urcu/call-rcu.h> first if you need
 * both: its struct rcu_head is used then.
 */
#ifndef SRCU_SRCU_H
#define SRCU_SRCU_H

#if !defined(__linux__) || __SIZEOF_LONG__ != 8 || !defined(__GNUC__)
#error "srcu needs 64-bit Linux, and gcc or clang"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SRCU_VERSION_MAJOR 0
#define SRCU_VERSION_MINOR 1
#define SRCU_VERSION_PATCH 0
/* For comparisons: #if SRCU_VERSION >= SRCU_MAKE_VERSION(0, 1, 0) */
#define SRCU_MAKE_VERSION(major, minor, patch) ((major) * 1000000 + (minor) * 1000 + (patch))
#define SRCU_VERSION SRCU_MAKE_VERSION(SRCU_VERSION_MAJOR, SRCU_VERSION_MINOR, SRCU_VERSION_PATCH)

#ifndef SRCU_API
#define SRCU_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What call_srcu() needs in each object: two words, uninitialised. The library's from call_srcu() until the callback
 * begins. */
#ifndef _URCU_CALL_RCU_H
struct rcu_head { /* redefined? Include <urcu/call-rcu.h> before <srcu/srcu.h>, and its struct is used */
  struct rcu_head *next;
  void (*func)(struct rcu_head *head);
};
#endif
typedef void (*rcu_callback_t)(struct rcu_head *head);

#include <srcu/fastpath.h> /* struct srcu_struct, and what the inline functions below need; not for users */

/* ---- Domains ---- */

/* A domain known at compile time; made on first use, by whoever is first, readers and signal handlers too. */
#define SRCU_STRUCT_INIT(name, kind) {NULL, kind, NULL, #name, {0}}
#define SRCU_DEFINE(name, kind) struct srcu_struct name __attribute__((aligned(64))) = SRCU_STRUCT_INIT(name, kind)
#define DEFINE_SRCU(name) SRCU_DEFINE(name, SRCU_KIND_NORMAL)
#define DEFINE_STATIC_SRCU(name) static SRCU_DEFINE(name, SRCU_KIND_NORMAL)
#define DEFINE_SRCU_FAST(name) SRCU_DEFINE(name, SRCU_KIND_FAST)
#define DEFINE_STATIC_SRCU_FAST(name) static SRCU_DEFINE(name, SRCU_KIND_FAST)
#define DEFINE_SRCU_FAST_UPDOWN(name) SRCU_DEFINE(name, SRCU_KIND_FAST_UPDOWN)
#define DEFINE_STATIC_SRCU_FAST_UPDOWN(name) static SRCU_DEFINE(name, SRCU_KIND_FAST_UPDOWN)

/* Make a domain in memory of yours: inside a struct from malloc(), say. Where many read, let no others write to its line of
 * cache. 0, or a negative errno: -ENOMEM without memory, -EAGAIN if the helper thread cannot be started. Anything else
 * than fresh memory or a cleaned-up domain is misuse, which debug builds see. May allocate. */
SRCU_API int init_srcu_struct(struct srcu_struct *ssp);
SRCU_API int init_srcu_struct_fast(struct srcu_struct *ssp);
SRCU_API int init_srcu_struct_fast_updown(struct srcu_struct *ssp);

/* End a domain, static ones too. First stop all readers and posters, then srcu_barrier(), then this. A domain that is
 * still in use is left as it is, with a line on stderr that says by what; its memory must stay then. May sleep. */
SRCU_API void cleanup_srcu_struct(struct srcu_struct *ssp);

/* How call_srcu() starts grace periods: "defer_irqoff", which is the default; "direct", which saves a look and is not for
 * signal handlers; and those that the kernel had or was to have, for comparison: rc4 delayed irq_work defer_nmi
 * nolock:always nolock:irqs_off (or nolock) nolock:in_nmi nolock:held_lock_table nolock:lock_bit bpf_defer
 * tasks_trace_legacy tasks_trace. Before first use of the domain. 0; -EINVAL: no such strategy; -EBUSY: too late. */
SRCU_API int srcu_set_strategy(struct srcu_struct *ssp, const char *name);

/* Starts the thread that serves callbacks, if it is not there. 0 or -EAGAIN. Needed where a process's first call_srcu()
 * would come from a signal handler: its callback waits for the next post elsewhere, or srcu_barrier(), otherwise. A
 * forked child has it again if its parent had. It runs on the CPUs of the thread that starts it: affinity, like
 * nice value and scheduling class, is inherited. */
SRCU_API int srcu_start_helper(void);

/* ---- Readers. Never block, never call malloc(); nest to any depth, and may overlap. ---- */

/* Opens a section; give the value to the unlock that closes it, on the same thread. */
static inline int srcu_read_lock(struct srcu_struct *ssp) {
  return srcu_rank_of(srcu_generic_read_lock(ssp, SRCU_READ_NORMAL));
}
static inline void srcu_read_unlock(struct srcu_struct *ssp, int idx) {
  srcu_generic_read_unlock(ssp, idx, SRCU_READ_NORMAL);
}

static inline int srcu_read_lock_nmisafe(struct srcu_struct *ssp) {
  return srcu_rank_of(srcu_generic_read_lock(ssp, SRCU_READ_NMISAFE));
}
static inline void srcu_read_unlock_nmisafe(struct srcu_struct *ssp, int idx) {
  srcu_generic_read_unlock(ssp, idx, SRCU_READ_NMISAFE);
}

/* A section that any thread or handler may close, later. Hand the value over in an ordered way: queue, lock, release. */
static inline int srcu_down_read(struct srcu_struct *ssp) {
  return srcu_rank_of(srcu_generic_read_lock(ssp, SRCU_READ_UPDOWN));
}
static inline void srcu_up_read(struct srcu_struct *ssp, int idx) {
  srcu_generic_read_unlock(ssp, idx, SRCU_READ_UPDOWN);
}

/* What a fast reader holds is of a type of its own, so that the compiler sees a wrong unlock. A wrong pointer is seen by
 * debug builds; release builds write where it points. */
static inline struct srcu_ctr *srcu_read_lock_fast(struct srcu_struct *ssp) {
  return srcu_generic_read_lock(ssp, SRCU_READ_FAST);
}
static inline void srcu_read_unlock_fast(struct srcu_struct *ssp, struct srcu_ctr *scp) {
  srcu_generic_read_unlock_ctr(ssp, scp, SRCU_READ_FAST);
}

static inline struct srcu_ctr *srcu_read_lock_fast_updown(struct srcu_struct *ssp) {
  return srcu_generic_read_lock(ssp, SRCU_READ_FAST_UPDOWN);
}
static inline void srcu_read_unlock_fast_updown(struct srcu_struct *ssp, struct srcu_ctr *scp) {
  srcu_generic_read_unlock_ctr(ssp, scp, SRCU_READ_FAST_UPDOWN);
}
static inline struct srcu_ctr *srcu_down_read_fast(struct srcu_struct *ssp) { return srcu_read_lock_fast_updown(ssp); }
static inline void srcu_up_read_fast(struct srcu_struct *ssp, struct srcu_ctr *scp) {
  srcu_read_unlock_fast_updown(ssp, scp);
}

/* Whether this thread is inside a section of the domain. For assertions: release builds do not know and say true. */
SRCU_API bool srcu_read_lock_held(const struct srcu_struct *ssp);

/* A full fence after srcu_read_unlock(), which is itself only a release. */
static inline void smp_mb__after_srcu_read_unlock(void) { srcu_fence(); }

/* Load and store of a pointer that readers follow. consume: free on x86; orders the pointer before what it points to.
 * release: what it points to is written before the pointer. What an assignment would not take, rcu_assign_pointer() does not
 * take, either, and a base class is found as in an assignment. */
#define srcu_dereference(p, ssp) ((void)(ssp), __atomic_load_n(&(p), __ATOMIC_CONSUME))
#ifndef rcu_assign_pointer /* liburcu has the same */
#define rcu_assign_pointer(p, v) srcu_publish(p, v)
#endif

/* ---- Updaters ---- */

/* Returns after every section has ended that was open when it was called. What was written before the call is seen by
 * every later section; what those sections did is seen by the caller. A full fence. Sleeps. Cost, without readers: a
 * fence, or one membarrier in a fast domain. Under load callers share grace periods. */
SRCU_API void synchronize_srcu(struct srcu_struct *ssp);
/* The same in a hurry: sleeps less between looks at the readers. */
SRCU_API void synchronize_srcu_expedited(struct srcu_struct *ssp);

/* Has `func(head)` invoked once after a grace period that begins no earlier than now. Returns at once, but the first use of
 * the helper, or of a domain, may end the process: see above.
 *
 *     struct config { struct rcu_head rcu; int timeout; };    // first, so that one address is both
 *     static void free_config(struct rcu_head *head) { free(head); }
 *     ...
 *     call_srcu(&config_srcu, &old->rcu, free_config);
 */
SRCU_API void call_srcu(struct srcu_struct *ssp, struct rcu_head *head, rcu_callback_t func);

/* The same for callers who do not know which locks are held around them, as tracers and NMIs: any context, NMI too, under
 * the strategies "nolock:always", "nolock:irqs_off" and "nolock:held_lock_table", and under "bpf_defer". Under all others
 * it is call_srcu(). The other variants of nolock are for comparison: each fails under some lock. */
SRCU_API void call_srcu_nolock(struct srcu_struct *ssp, struct rcu_head *head, rcu_callback_t func);

/* Returns after every callback has run whose call_srcu() returned before this was called. Starts no grace period of its
 * own: without callbacks it returns at once. Before a dlclose() of callbacks' code, so that none is left without; what
 * the library itself asks of dlclose(), Limits says. */
SRCU_API void srcu_barrier(struct srcu_struct *ssp);

/* Polling. A cookie stands for a grace period that begins no earlier than now. start_poll sees to it that it comes to
 * pass; get_state only takes the cookie, and counts on others. poll_state: has it ended? Once true, always true, and as
 * good as a synchronize_srcu(). Cookies of a domain can be compared: the same cookie, the same grace period. Hand a cookie
 * to another thread in an ordered way (queue, lock, release): one that comes earlier than the domain's state of then counts as old.
 *
 *     old->cookie = start_poll_synchronize_srcu(&config_srcu);    // after rcu_assign_pointer()
 *     ...                                                         // work that is to be done anyhow
 *     if (poll_state_synchronize_srcu(&config_srcu, old->cookie))
 *       free(old);
 */
SRCU_API unsigned long get_state_synchronize_srcu(struct srcu_struct *ssp);
SRCU_API unsigned long start_poll_synchronize_srcu(struct srcu_struct *ssp);
SRCU_API bool poll_state_synchronize_srcu(struct srcu_struct *ssp, unsigned long cookie);
/* A cookie that is done already. */
static inline unsigned long get_completed_synchronize_srcu(void) { return 1UL; }
static inline bool same_state_synchronize_srcu(unsigned long one, unsigned long other) { return one == other; }

/* Hurries the grace periods that are asked for so far, and starts one if none is. */
SRCU_API void srcu_expedite_current(struct srcu_struct *ssp);

/* Grace periods that have ended, modulo 2^62. One load. */
SRCU_API unsigned long srcu_batches_completed(struct srcu_struct *ssp);

/* For tests and for the curious. Sections open now, exact only while none is opened or closed; less than nothing where an
 * unlock got another section's token, since sections are counted in two ranks and one of them is short then. And one line
 * of text on where the domain's grace periods and callbacks stand, as snprintf() would give it. Neither blocks. */
SRCU_API long srcu_open_sections(struct srcu_struct *ssp);
SRCU_API int srcu_describe(struct srcu_struct *ssp, char *text, size_t size);

/* ---- RCU Tasks Trace: one fast domain for the whole process, with readers that need no token. ---- */

extern SRCU_API struct srcu_struct rcu_tasks_trace_srcu_struct;
/* Nest up to 64 deep, as a stack; signal handlers may. */
SRCU_API void rcu_read_lock_trace(void);
SRCU_API void rcu_read_unlock_trace(void);
SRCU_API bool rcu_read_lock_trace_held(void);
static inline void synchronize_rcu_tasks_trace(void) { synchronize_srcu(&rcu_tasks_trace_srcu_struct); }
static inline void call_rcu_tasks_trace(struct rcu_head *head, rcu_callback_t func) {
  call_srcu(&rcu_tasks_trace_srcu_struct, head, func);
}
static inline void rcu_barrier_tasks_trace(void) { srcu_barrier(&rcu_tasks_trace_srcu_struct); }

/* ---- Fork ---- */

/* Around fork(), where the child is to go on using domains: before_fork in the parent, then one of the others in each.
 * They hold every domain still meanwhile, block all signals, and wait for callbacks that are being run. Callbacks that
 * were waiting run in both processes. A child that only calls exec() or _exit() needs none of this.
 *
 * Other threads read, post, ask for grace periods and make domains meanwhile, and wait for nothing: fork(), and handlers
 * of pthread_atfork(), may wait for locks that are held around these. Not for one around synchronize_srcu(),
 * srcu_barrier(), bpf_defer_flush() or cleanup, which wait until the fork is over: by the forking thread, in between, for ever.
 *
 * In the child, sections of threads that are not there any more count as closed; the forking thread's own stay open, and
 * it must close them. That is exact for sections that belong to a thread (srcu_read_lock, nmisafe, fast). Those that any
 * thread may close (down/up, fast_updown) belong to none: as many survive in the child as the forking thread has opened
 * more than it closed, and no more than there are. So one survives only if the forking thread opened it, and for certain
 * only if all those that it closed earlier in this domain were its own, and none of its own was closed by another thread.
 * Have none open at a fork where they cross threads. A forking thread without a slot of its own (Limits) keeps none of
 * these; and of its others, where it has some open in one domain, and further such threads in another, the child may take
 * theirs for its own, and wait for them for ever. */
SRCU_API void srcu_before_fork(void);
SRCU_API void srcu_after_fork_parent(void);
SRCU_API void srcu_after_fork_child(void);

#ifdef __cplusplus
}
#endif

#endif /* SRCU_SRCU_H */
