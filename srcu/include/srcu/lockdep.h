/*
 * A prover for locks: deadlocks that could happen are told from orders that did, without one having to happen. It follows
 * the rules of the Linux kernel's lockdep. Of use for any program's own locks; the library annotates its own.
 *
 *     static struct srcu_lockdep_class queue_class = SRCU_LOCKDEP_CLASS("queue.lock", SRCU_LOCKDEP_SPIN);
 *
 *     srcu_lockdep_acquire(&queue->lock, &queue_class, SRCU_LOCKDEP_WRITE);       // before the lock word is taken
 *     spin_lock(&queue->lock);
 *     ...
 *     spin_unlock(&queue->lock);
 *     srcu_lockdep_release(&queue->lock);                                         // after it is released
 *
 *     if (spin_trylock(&queue->lock))
 *       srcu_lockdep_acquire(&queue->lock, &queue_class, SRCU_LOCKDEP_WRITE | SRCU_LOCKDEP_TRY);
 *
 * Compiled in by SRCU_LOCKDEP, defined for library and users alike; without it all of this is nothing. Then there is still
 * a switch at run time: nothing is noted, at the price of a load and a branch, until srcu_lockdep_start().
 *
 * What is reported, each once for a pair of classes, after which the prover goes on:
 *
 *   | check          | headline                                             | what could happen                           |
 *   |----------------|------------------------------------------------------|---------------------------------------------|
 *   | lock_recursion | possible recursive locking detected                  | a thread waits for a lock of a class that   |
 *   |                |                                                      | it holds                                    |
 *   | lock_cycle     | possible circular locking dependency detected        | a ring of threads, each waits for the next  |
 *   | irq_inversion  | inconsistent lock state                              | a handler waits for a lock, taken elsewhere |
 *   |                | possible irq lock inversion dependency detected      | with interrupts on, of the code below it    |
 *   |                | HARDIRQ-safe -> HARDIRQ-unsafe lock order detected   |                                             |
 *   | wait_context   | Invalid wait context                                 | sleeping where only spinning is allowed     |
 *   | nmi            | inconsistent lock state                              | an NMI waits for the code below it          |
 *
 * The rules in short. Of two readers only a recursive one never waits for the other, so a path through a read lock that
 * is taken again by a recursive read is no deadlock. A trylock never waits: no order leads to it, but locks that are taken
 * under it have an order. Locks of one class are one lock here, unless taken with another subclass, or under the lock
 * that serialises them (`nest`). What a handler takes has no order with what it interrupted; the use of a class in
 * handlers and with interrupts on is checked instead, along all orders. Wait types: the innermost of what is held, and of the
 * context, bounds what may be taken: SPIN, then CONFIG (a spinlock that sleeps on real-time kernels), then SLEEP, which is
 * what synchronize_srcu() and srcu_barrier() need, too.
 *
 * Any context: lock-free, and without malloc(), where nothing new is seen; what is new takes a lock of the prover's, with
 * signals blocked but for those that a fault raises. A handler of such one that interrupts the prover itself cannot be
 * examined if it brings something new: srcu_lockdep_stats says how often. Tables are fixed: 1024 pairs of class and
 * subclass, 16384 orders, 48 locks held by a thread. One that is full is told of, once. What was right before is known again by
 * a hash of 64 bits; that two of 100,000 different sets of held locks have the same, which could hide an order, happens in one of
 * 2 * 10^9 programs.
 *
 * Costs, on one x86-64 server: an acquire and release, all known, 5 ns under any number of locks.
 */
#ifndef SRCU_LOCKDEP_H
#define SRCU_LOCKDEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef SRCU_API
#define SRCU_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* How much a lock's holder may do, and how a waiter waits, from the narrowest to the widest. */
enum srcu_lockdep_wait {
  SRCU_LOCKDEP_UNCHECKED, /* this class takes no part */
  SRCU_LOCKDEP_FREE,      /* never waits */
  SRCU_LOCKDEP_SPIN,      /* raw_spinlock_t */
  SRCU_LOCKDEP_CONFIG,    /* spinlock_t: spins, or sleeps where preempt_rt */
  SRCU_LOCKDEP_SLEEP      /* mutex */
};

#define SRCU_LOCKDEP_SUBCLASSES 8

/* A class of locks: all that are taken by the same rule. Static, and for ever. */
struct srcu_lockdep_class {
  const char *name;
  uint8_t inner;                           /* enum srcu_lockdep_wait: what its holder may take at most */
  uint8_t outer;                           /* what one must be allowed in order to take it; 0: the same */
  uint16_t node[SRCU_LOCKDEP_SUBCLASSES];  /* the prover's */
};
#define SRCU_LOCKDEP_CLASS(name, inner) {name, inner, 0, {0}}

/* How a lock is taken: one of the first three, and perhaps TRY: without waiting, by success. */
enum srcu_lockdep_how {
  SRCU_LOCKDEP_WRITE = 0,
  SRCU_LOCKDEP_READ = 1,           /* waits behind a waiting writer */
  SRCU_LOCKDEP_READ_RECURSIVE = 2, /* waits for nobody but a writer who is inside */
  SRCU_LOCKDEP_TRY = 4
};

/* A lock that was taken, or is about to be. */
struct srcu_lockdep_point {
  const struct srcu_lockdep_class *lock_class;
  const void *lock; /* the instance, where it is known */
  const char *file;
  uint32_t line;
  uint8_t subclass, how;
};

/* `to` was taken under `from`; both by the first who did so. */
struct srcu_lockdep_link {
  struct srcu_lockdep_point from, to;
};

struct srcu_lockdep_report {
  const char *check;                      /* one of the table's */
  const char *headline;
  const char *detail;                     /* states, as {IN-HARDIRQ-W} -> {HARDIRQ-ON-W}; may be empty */
  struct srcu_lockdep_point taken;        /* what the thread is about to take, or holds as interrupts go on */
  struct srcu_lockdep_point held;         /* what that collides with; no class if nothing is held */
  struct srcu_lockdep_point safe, unsafe; /* irq_inversion: first use in a handler, first with interrupts on */
  const struct srcu_lockdep_link *chain;  /* lock_cycle: from `taken` back to `held`; irq_inversion: safe to unsafe */
  uint32_t links;
  const struct srcu_lockdep_point *stack; /* all that the thread holds, oldest first */
  uint32_t stacked;
};

/* Gets every report; valid during the call. Signals are blocked, or this is a handler's: no lock that is waited for
 * in it may be taken elsewhere with signals on. */
typedef void (*srcu_lockdep_hook)(const struct srcu_lockdep_report *report, void *argument);

struct srcu_lockdep_stats {
  uint64_t reports;
  uint64_t skipped;   /* acquisitions not examined, since they interrupted the prover, or came during a fork() */
  uint64_t unmatched; /* releases of what was not noted: taken before the start, or an unlock without lock */
  uint64_t lost;      /* what found a table full */
  uint32_t classes, edges;
};

/* What a class was seen doing, as bits; + 1 of each: by readers. */
enum srcu_lockdep_usage {
  SRCU_LOCKDEP_IN_HARDIRQ = 1 << 0,
  SRCU_LOCKDEP_HARDIRQS_ON = 1 << 2,
  SRCU_LOCKDEP_IN_SOFTIRQ = 1 << 4,
  SRCU_LOCKDEP_SOFTIRQS_ON = 1 << 6,
  SRCU_LOCKDEP_USED = 1 << 8
};

struct srcu_lockdep_task;

#ifdef SRCU_LOCKDEP

/* From now on locks are noted; locks that are held now are not. Stop leaves everything as it is seen so far. */
SRCU_API void srcu_lockdep_start(void);
SRCU_API void srcu_lockdep_stop(void);
/* Forgets all that was seen and reported. Nobody may hold or take an annotated lock meanwhile. */
SRCU_API void srcu_lockdep_reset(void);

/* Null brings back the first hook, which prints on stderr. */
SRCU_API void srcu_lockdep_set_hook(srcu_lockdep_hook hook, void *argument);
/* The report as text, as snprintf() would give it. Signal-safe. */
SRCU_API int srcu_lockdep_format(const struct srcu_lockdep_report *report, char *text, size_t size);
SRCU_API struct srcu_lockdep_stats srcu_lockdep_get_stats(void);

/* A class for what has no static one, as objects that come and go: the same for the same key. Null if there are 256. Any
 * context. `name` stays yours, until the key is forgotten. */
SRCU_API struct srcu_lockdep_class *srcu_lockdep_class_of(const void *key, const char *name,
                                                          enum srcu_lockdep_wait inner);

/* The object is no more: forgets what was seen and reported of its class, so that the next one with its key begins anew.
 * Nobody may hold or take it meanwhile. Not in signal handlers. No effect if there is no such class. */
SRCU_API void srcu_lockdep_forget(const void *key);

/* Wait type of the library's own locks, SPIN if not set. 0, or -EBUSY if one has been noted already. */
SRCU_API int srcu_lockdep_set_own_wait(enum srcu_lockdep_wait inner);

/* What was seen so far, for those who draw their own conclusions. */
SRCU_API uint32_t srcu_lockdep_usage_of(const struct srcu_lockdep_class *lock_class, unsigned subclass);
SRCU_API void srcu_lockdep_for_each_edge(void (*visit)(const struct srcu_lockdep_link *link, void *argument),
                                         void *argument);

/* The calling thread; valid as long as it lives. Others may have its locks described at any time, as text of one line
 * a lock; a thread that goes on meanwhile may show half a change. Signal-safe. */
SRCU_API struct srcu_lockdep_task *srcu_lockdep_self(void);
SRCU_API int srcu_lockdep_describe(const struct srcu_lockdep_task *task, char *text, size_t size);

/* Whether the calling thread holds it, as far as noted. */
SRCU_API bool srcu_lockdep_holds(const void *lock);
SRCU_API bool srcu_lockdep_holds_class(const struct srcu_lockdep_class *lock_class);

extern SRCU_API uint32_t srcu_lockdep_running;
static inline bool srcu_lockdep_on(void) {
  return __builtin_expect(__atomic_load_n(&srcu_lockdep_running, __ATOMIC_RELAXED), 0); /* relaxed: a switch */
}

/* What the inline functions below call when it is on. */
SRCU_API void srcu_lockdep_note_acquire(const void *lock, struct srcu_lockdep_class *lock_class, unsigned subclass,
                                        unsigned how, const void *nest, const char *file, unsigned line);
SRCU_API void srcu_lockdep_note_sync(const void *lock, struct srcu_lockdep_class *lock_class, unsigned subclass,
                                     unsigned how, const char *file, unsigned line);
SRCU_API void srcu_lockdep_note_release(const void *lock);
SRCU_API void srcu_lockdep_note_context(int what, const char *file, unsigned line);
SRCU_API void srcu_lockdep_note_unheld(const char *name, const char *file, unsigned line);

/* `nest`: null, or a held lock that serialises all who take several locks of the class. */
static inline void srcu_lockdep_acquire_at(const void *lock, struct srcu_lockdep_class *lock_class, unsigned subclass,
                                           unsigned how, const void *nest, const char *file, unsigned line) {
  if (srcu_lockdep_on()) srcu_lockdep_note_acquire(lock, lock_class, subclass, how, nest, file, line);
}
/* Waits for all who hold it, and takes nothing: what a grace period is to sections, or a flush to work. */
static inline void srcu_lockdep_sync_at(const void *lock, struct srcu_lockdep_class *lock_class, unsigned subclass,
                                        unsigned how, const char *file, unsigned line) {
  if (srcu_lockdep_on()) srcu_lockdep_note_sync(lock, lock_class, subclass, how, file, line);
}
/* Out of order, too. */
static inline void srcu_lockdep_release(const void *lock) {
  if (srcu_lockdep_on()) srcu_lockdep_note_release(lock);
}

#define srcu_lockdep_context_at(what, file, line) \
  do { \
    if (srcu_lockdep_on()) srcu_lockdep_note_context(what, file, line); \
  } while (0)
/* One line on stderr and abort() if the thread does not hold the lock. */
#define srcu_lockdep_assert_held(lock) \
  do { \
    if (srcu_lockdep_on() && !srcu_lockdep_holds(lock)) srcu_lockdep_note_unheld(#lock, __FILE__, __LINE__); \
  } while (0)

#else

static inline void srcu_lockdep_start(void) {}
static inline void srcu_lockdep_stop(void) {}
static inline void srcu_lockdep_reset(void) {}
static inline bool srcu_lockdep_on(void) { return false; }
static inline void srcu_lockdep_set_hook(srcu_lockdep_hook hook, void *argument) {
  (void)hook;
  (void)argument;
}
static inline struct srcu_lockdep_stats srcu_lockdep_get_stats(void) {
  const struct srcu_lockdep_stats none = {0, 0, 0, 0, 0, 0};
  return none;
}
static inline int srcu_lockdep_format(const struct srcu_lockdep_report *report, char *text, size_t size) {
  (void)report;
  if (size) *text = '\0';
  return 0;
}
static inline int srcu_lockdep_set_own_wait(enum srcu_lockdep_wait inner) {
  (void)inner;
  return 0;
}
static inline uint32_t srcu_lockdep_usage_of(const struct srcu_lockdep_class *lock_class, unsigned subclass) {
  (void)lock_class;
  (void)subclass;
  return 0;
}
static inline void srcu_lockdep_for_each_edge(void (*visit)(const struct srcu_lockdep_link *link, void *argument),
                                              void *argument) {
  (void)visit;
  (void)argument;
}
static inline struct srcu_lockdep_task *srcu_lockdep_self(void) { return NULL; }
static inline int srcu_lockdep_describe(const struct srcu_lockdep_task *task, char *text, size_t size) {
  (void)task;
  if (size) *text = '\0';
  return 0;
}
static inline bool srcu_lockdep_holds(const void *lock) {
  (void)lock;
  return false;
}
static inline bool srcu_lockdep_holds_class(const struct srcu_lockdep_class *lock_class) {
  (void)lock_class;
  return false;
}
#define srcu_lockdep_class_of(key, name, inner) ((void)(key), (void)(name), (struct srcu_lockdep_class *)NULL)
#define srcu_lockdep_forget(key) ((void)(key))
#define srcu_lockdep_acquire_at(lock, lock_class, subclass, how, nest, file, line) \
  ((void)(lock), (void)(lock_class), (void)(nest))
#define srcu_lockdep_sync_at(lock, lock_class, subclass, how, file, line) ((void)(lock), (void)(lock_class))
#define srcu_lockdep_release(lock) ((void)(lock))
#define srcu_lockdep_context_at(what, file, line) ((void)0)
#define srcu_lockdep_assert_held(lock) ((void)(lock))

#endif

/* Before the lock word is taken; a try after its success, or before, and a release if it failed. */
#define srcu_lockdep_acquire(lock, lock_class, how) \
  srcu_lockdep_acquire_at(lock, lock_class, 0, how, NULL, __FILE__, __LINE__)
#define srcu_lockdep_acquire_nested(lock, lock_class, subclass, how) \
  srcu_lockdep_acquire_at(lock, lock_class, subclass, how, NULL, __FILE__, __LINE__)
#define srcu_lockdep_acquire_nest_lock(lock, lock_class, how, nest) \
  srcu_lockdep_acquire_at(lock, lock_class, 0, how, nest, __FILE__, __LINE__)
#define srcu_lockdep_sync(lock, lock_class, how) srcu_lockdep_sync_at(lock, lock_class, 0, how, __FILE__, __LINE__)

/* The thread's context. All nest. Off before the interrupts are off, on after the last lock is dropped and before they are
 * on. A handler is entered with interrupts (softirqs) off; a hard one as a thread where that is how it runs. An NMI
 * ignores the off state, and may be inside any of these functions. */
enum srcu_lockdep_context {
  SRCU_LOCKDEP_HARDIRQS_OFF_NOW,
  SRCU_LOCKDEP_HARDIRQS_ON_NOW,
  SRCU_LOCKDEP_SOFTIRQS_OFF_NOW,
  SRCU_LOCKDEP_SOFTIRQS_ON_NOW,
  SRCU_LOCKDEP_HARDIRQ_ENTER,
  SRCU_LOCKDEP_HARDIRQ_ENTER_THREADED,
  SRCU_LOCKDEP_HARDIRQ_EXIT,
  SRCU_LOCKDEP_HARDIRQ_EXIT_THREADED,
  SRCU_LOCKDEP_SOFTIRQ_ENTER,
  SRCU_LOCKDEP_SOFTIRQ_EXIT,
  SRCU_LOCKDEP_NMI_ENTER,
  SRCU_LOCKDEP_NMI_EXIT
};
#define srcu_lockdep_context(what) srcu_lockdep_context_at(what, __FILE__, __LINE__)
#define srcu_lockdep_hardirqs_off() srcu_lockdep_context(SRCU_LOCKDEP_HARDIRQS_OFF_NOW)
#define srcu_lockdep_hardirqs_on() srcu_lockdep_context(SRCU_LOCKDEP_HARDIRQS_ON_NOW)
#define srcu_lockdep_softirqs_off() srcu_lockdep_context(SRCU_LOCKDEP_SOFTIRQS_OFF_NOW)
#define srcu_lockdep_softirqs_on() srcu_lockdep_context(SRCU_LOCKDEP_SOFTIRQS_ON_NOW)
#define srcu_lockdep_hardirq_enter() srcu_lockdep_context(SRCU_LOCKDEP_HARDIRQ_ENTER)
#define srcu_lockdep_hardirq_exit() srcu_lockdep_context(SRCU_LOCKDEP_HARDIRQ_EXIT)
#define srcu_lockdep_hardirq_enter_threaded() srcu_lockdep_context(SRCU_LOCKDEP_HARDIRQ_ENTER_THREADED)
#define srcu_lockdep_hardirq_exit_threaded() srcu_lockdep_context(SRCU_LOCKDEP_HARDIRQ_EXIT_THREADED)
#define srcu_lockdep_softirq_enter() srcu_lockdep_context(SRCU_LOCKDEP_SOFTIRQ_ENTER)
#define srcu_lockdep_softirq_exit() srcu_lockdep_context(SRCU_LOCKDEP_SOFTIRQ_EXIT)
#define srcu_lockdep_nmi_enter() srcu_lockdep_context(SRCU_LOCKDEP_NMI_ENTER)
#define srcu_lockdep_nmi_exit() srcu_lockdep_context(SRCU_LOCKDEP_NMI_EXIT)

/* Callbacks and work: the body runs inside a lock of its kind, and who waits for all of them syncs with it. So a lock that
 * is held around the wait and taken in a callback is seen as the deadlock that it is. */
#define srcu_lockdep_callback_enter(lock, lock_class) \
  srcu_lockdep_acquire(lock, lock_class, SRCU_LOCKDEP_READ_RECURSIVE)
#define srcu_lockdep_callback_exit(lock) srcu_lockdep_release(lock)
#define srcu_lockdep_callback_wait(lock, lock_class) srcu_lockdep_sync(lock, lock_class, SRCU_LOCKDEP_WRITE)

#ifdef __cplusplus
}
#endif

#endif /* SRCU_LOCKDEP_H */
