/*
 * A home-made RCU, as short as can be: each reader shows the clock at which its section began, or 0 outside; an updater
 * moves the clock and waits until nobody shows an older one.
 */
#include <pthread.h>
#include <sched.h>
#include <srcutorture/ops.h>
#include <stdatomic.h>
#include <stdlib.h>

struct reader {
  _Atomic uint64_t since; /* 0: outside */
  unsigned depth;
  struct reader *next;
};

static _Atomic uint64_t clock_now = 1;
static struct reader *readers;
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;

static void *create(void) { return &readers; }

static void *thread_register(void *dom) {
  (void)dom;
  struct reader *me = calloc(1, sizeof *me);
  if (!me) return NULL;
  pthread_mutex_lock(&registry);
  me->next = readers;
  readers = me;
  pthread_mutex_unlock(&registry);
  return me;
}

static void thread_unregister(void *dom, void *ctx) {
  (void)dom;
  pthread_mutex_lock(&registry);
  struct reader **at = &readers;
  while (*at != ctx) at = &(*at)->next;
  *at = (*at)->next;
  pthread_mutex_unlock(&registry);
  free(ctx);
}

static uint64_t read_lock(void *dom, void *ctx) {
  (void)dom;
  struct reader *me = ctx;
  if (me->depth++ != 0) return 0;
  /* relaxed: ordered by the fence. release: an updater that sees this, and not that the section before has ended, comes
   * after that section all the same; a store of one's own thread continues no release in C11. */
  atomic_store_explicit(&me->since, atomic_load_explicit(&clock_now, memory_order_relaxed), memory_order_release);
  /* seq_cst fence [A]: the look at the clock and the store come before the section's loads. Pairs with [B]: a section
   * that the updater does not see, or that shows its clock, sees the unpublication. */
  atomic_thread_fence(memory_order_seq_cst);
  return 0;
}

static void read_unlock(void *dom, void *ctx, uint64_t token) {
  (void)dom, (void)token;
  struct reader *me = ctx;
  /* release: the section's loads come before the updater's acquire in synchronize(). */
  if (--me->depth == 0) atomic_store_explicit(&me->since, 0, memory_order_release);
}

static void synchronize(void *dom, void *ctx) {
  (void)dom, (void)ctx;
#ifndef HANDMADE_FORGETS_TO_WAIT
  /* release: the unpublication comes before the new clock; whoever shows it has seen that through [A]. */
  const uint64_t now = atomic_fetch_add_explicit(&clock_now, 1, memory_order_release) + 1;
  /* seq_cst fence [B]: the unpublication comes before the looks at the readers. Pairs with [A]. */
  atomic_thread_fence(memory_order_seq_cst);
  pthread_mutex_lock(&registry);
  for (struct reader *r = readers; r; r = r->next) {
    uint64_t since;
    while ((since = atomic_load_explicit(&r->since, memory_order_acquire)) != 0 && since < now) sched_yield();
  }
  pthread_mutex_unlock(&registry);
#endif
}

const struct srcutorture_ops srcutorture_ops = {
    .version = SRCUTORTURE_OPS_VERSION,
    .size = sizeof(struct srcutorture_ops),
    .name = "handmade",
    .facts = SRCUTORTURE_SLEEPING_READER | SRCUTORTURE_NESTS | SRCUTORTURE_STALLED_READER_BLOCKS_ALL,
    .create = create,
    .read_lock = read_lock,
    .read_unlock = read_unlock,
    .synchronize = synchronize,
    .thread_register = thread_register,
    .thread_unregister = thread_unregister,
};
