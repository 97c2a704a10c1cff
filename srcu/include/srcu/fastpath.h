/*
 * What readers execute; srcu.h includes this, and is the place to read about its use. Nothing here is for users.
 */
#ifndef SRCU_FASTPATH_H
#define SRCU_FASTPATH_H

#ifndef SRCU_SRCU_H
#error "include <srcu/srcu.h>"
#endif

enum srcu_kind { SRCU_KIND_NORMAL = 1, SRCU_KIND_FAST = 2, SRCU_KIND_FAST_UPDOWN = 3 };
enum srcu_read_kind { SRCU_READ_NORMAL, SRCU_READ_NMISAFE, SRCU_READ_UPDOWN, SRCU_READ_FAST, SRCU_READ_FAST_UPDOWN };

/* Sections opened and closed in one rank, by one thread in one domain. */
struct srcu_ctr {
  uint64_t lock, unlock;
};

/* One thread's counts in one domain. A line of its own. Its thread is the only writer (and handlers on it), so that plain
 * one-instruction increments do. Sections that another thread may close are counted apart: of them, only sums over all
 * slots mean something. Of the others, lock less unlock is what this thread has open, which fork() needs to know. */
struct srcu_slot {
  struct srcu_ctr rank[2];
  struct srcu_ctr updown[2];
} __attribute__((aligned(64)));

struct srcu_usage;

/* A domain. Its members are the library's. As large as a line, but it need not begin one: malloc() would not give that. */
struct srcu_struct {
  struct srcu_ctr *srcu_current; /* the current rank's, of slot 0; null: readers go the slow way */
  uint32_t srcu_kind;
  struct srcu_usage *srcu_sup; /* update side; null before first use */
  const char *srcu_name;
  char srcu_unused[32];
};

/* Where this thread's slot is, in bytes from slot 0; 0: it has none yet. */
extern SRCU_API __thread size_t srcu_slot_offset __attribute__((tls_model("initial-exec")));

SRCU_API struct srcu_ctr *srcu_slow_read_lock(struct srcu_struct *ssp, int read_kind) __attribute__((nothrow));
SRCU_API void srcu_slow_read_unlock(struct srcu_struct *ssp, int idx, int read_kind) __attribute__((nothrow));
SRCU_API void srcu_slow_read_unlock_ctr(struct srcu_struct *ssp, struct srcu_ctr *scp, int read_kind)
    __attribute__((nothrow));

#define SRCU_LIKELY(x) __builtin_expect(!!(x), 1)

/* With the lock prover built in and switched on, readers go the slow way, where it sees them. */
#ifdef SRCU_LOCKDEP
#include <srcu/lockdep.h>
#define SRCU_WATCHED srcu_lockdep_on()
#else
#define SRCU_WATCHED 0
#endif

/* By gcc's name, or by clang's. */
#if defined(__SANITIZE_THREAD__)
#define SRCU_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SRCU_TSAN 1
#endif
#endif

/* A build may insist: where calls for accesses lead to a real machine, its own instruction is what is to be tried. */
#if defined(__x86_64__) && !defined(SRCU_TSAN) && !defined(SRCU_NO_ASM) && !defined(SRCU_ONE_INSTRUCTION)
#define SRCU_ONE_INSTRUCTION 1
#endif

#ifdef SRCU_TSAN
extern void __tsan_atomic_thread_fence(int order);
#endif

/* The order of the site with this label (srcu/DESIGN.md): what stands there. A checking build puts a header in the place of
 * this, SRCU_ORDER_HEADER, a quoted name, whose macro weakens the order of one label at run time. */
#ifdef SRCU_ORDER_HEADER
#include SRCU_ORDER_HEADER
#else
#define SRCU_ORDERED(label, order) (order)
#endif

/* A full fence; the library's own are this one, too. ThreadSanitizer learns nothing from fences, which is why gcc warns
 * of them, and needs nothing: what it must see, that a reader's accesses come before what its grace period allowed,
 * goes through C and U. But the program must not run without: so this is the call that a fence is compiled to there, which
 * executes it, and shows it to whoever stands in ThreadSanitizer's place. */
static inline void srcu_fence(void) {
#ifdef SRCU_TSAN
  __tsan_atomic_thread_fence(__ATOMIC_SEQ_CST);
#else
  __atomic_thread_fence(__ATOMIC_SEQ_CST); /* A full fence: the label stands where it is called */
#endif
}

/* A full fence with a label, unless that is the one that is dropped. */
#define SRCU_FENCE(label) (SRCU_ORDERED(label, __ATOMIC_SEQ_CST) == __ATOMIC_SEQ_CST ? srcu_fence() : (void)0)

/* One more, in one instruction: a handler in the middle of it cannot lose a count. Orders nothing in hardware beyond
 * what x86 does anyhow; the compiler moves nothing across.
 * ORD(B), light side, for lock counts of fast readers: the compiler keeps increment and section in order; updaters
 * make it a full fence by A's membarrier.
 * ORD(C) for unlock counts: release. Pairs with U. The section's accesses come before the count; without it, an
 * updater that saw the count might free what the section still reads. */
static inline void srcu_count(uint64_t *count) {
#ifdef SRCU_ONE_INSTRUCTION
  __asm__ __volatile__("addq $1, %0" : "+m"(*count) : : "memory", "cc");
#elif defined(SRCU_COUNT_IN_TWO_STEPS) /* as other threads see it; for checking builds without handlers */
  __atomic_store_n(count, __atomic_load_n(count, __ATOMIC_RELAXED) + 1, SRCU_ORDERED(C, __ATOMIC_RELEASE));
#else
  __atomic_fetch_add(count, 1, SRCU_ORDERED(C, __ATOMIC_RELEASE));
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
#endif
}

/* ORD(B) of readers with a fence: one more, then a full fence. Pairs with A. Pattern SB: the count comes before
 * the section's loads. Without it, the sums may miss this reader while it still finds the old pointer. */
static inline void srcu_count_and_fence(uint64_t *count) {
#ifdef SRCU_ONE_INSTRUCTION
  __asm__ __volatile__("lock addq $1, %0" : "+m"(*count) : : "memory", "cc"); /* the lock prefix is the fence */
#else
  __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
  SRCU_FENCE(B);
#endif
}

/* No instruction: the compiler moves nothing across asm anyhow. But where accesses are calls, this is one, just ahead of an
 * increment that nobody would see otherwise, and no load goes ahead of. */
static inline void srcu_before_count(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

/* Slots are aligned to their size, which is 64; a rank's counts take 16. */
#define SRCU_RANK_BIT ((uintptr_t)sizeof(struct srcu_ctr))

/* Slot 0's counts to those of the slot that stands `offset` behind. */
static inline struct srcu_ctr *srcu_at(struct srcu_ctr *scp, size_t offset) {
  return (struct srcu_ctr *)(void *)((char *)scp + offset);
}
/* Where in a slot a kind's counts stand: a constant, as the kind is. */
static inline size_t srcu_part(int read_kind) {
  return read_kind == SRCU_READ_UPDOWN || read_kind == SRCU_READ_FAST_UPDOWN ? offsetof(struct srcu_slot, updown) : 0;
}
static inline int srcu_rank_of(struct srcu_ctr *scp) { return ((uintptr_t)scp & SRCU_RANK_BIT) != 0; }

/* ORD(S2), consume: pairs with S1: the memory behind the pointer is zeroed and known to the update side. */
static inline struct srcu_ctr *srcu_current_of(struct srcu_struct *ssp) {
  return __atomic_load_n(&ssp->srcu_current, SRCU_ORDERED(S2, __ATOMIC_CONSUME));
}

/* What a section holds: its rank, as a place in slot 0. Whoever closes it counts in a slot of his own. */
static inline struct srcu_ctr *srcu_generic_read_lock(struct srcu_struct *ssp, int read_kind) {
#ifndef SRCU_DEBUG
  struct srcu_ctr *scp = srcu_current_of(ssp);
  size_t offset = srcu_slot_offset;
  if (SRCU_LIKELY(scp && offset && !SRCU_WATCHED)) {
    struct srcu_ctr *own = srcu_at(scp, offset + srcu_part(read_kind));
    srcu_before_count();
    if (read_kind >= SRCU_READ_FAST)
      srcu_count(&own->lock);
    else
      srcu_count_and_fence(&own->lock);
    return scp;
  }
#endif
  return srcu_slow_read_lock(ssp, read_kind);
}

static inline void srcu_generic_read_unlock_ctr(struct srcu_struct *ssp, struct srcu_ctr *scp, int read_kind) {
#ifndef SRCU_DEBUG
  size_t offset = srcu_slot_offset;
  if (SRCU_LIKELY(offset && !SRCU_WATCHED)) {
    srcu_before_count();
    srcu_count(&srcu_at(scp, offset + srcu_part(read_kind))->unlock);
    return;
  }
#endif
  srcu_slow_read_unlock_ctr(ssp, scp, read_kind);
}

/* The same by number. Of a wrong one the lowest bit counts. */
static inline void srcu_generic_read_unlock(struct srcu_struct *ssp, int idx, int read_kind) {
#ifndef SRCU_DEBUG
  struct srcu_ctr *scp = srcu_current_of(ssp);
  size_t offset = srcu_slot_offset;
  if (SRCU_LIKELY(scp && offset && !SRCU_WATCHED)) {
    struct srcu_ctr *rank_0 = (struct srcu_ctr *)((uintptr_t)scp & ~SRCU_RANK_BIT);
    srcu_count(&srcu_at(rank_0 + (idx & 1), offset + srcu_part(read_kind))->unlock);
    return;
  }
#endif
  srcu_slow_read_unlock(ssp, idx, read_kind);
}

/* p = v, by a store with release, which pairs with srcu_dereference()'s consume: what it points to is written before. The
 * value is converted first: gcc's store takes any pointer, and any integer, as it is. */
#ifdef __cplusplus
extern "C++" {
template <class T>
struct srcu_value { typedef T type; };
template <class T>
struct srcu_value<volatile T> { typedef T type; };
template <class T>
static inline void srcu_publish_at(T *to, typename srcu_value<T>::type value) { __atomic_store_n(to, value, __ATOMIC_RELEASE); }
}
#define srcu_publish(p, v) srcu_publish_at(&(p), (v))
#else /* in C; with consume: the same */
#define srcu_publish(p, v) \
  __extension__({ \
    __typeof__(p) srcu_value = (v); \
    __atomic_store_n(&(p), srcu_value, __ATOMIC_RELEASE); \
  })
#endif

#endif /* SRCU_FASTPATH_H */
