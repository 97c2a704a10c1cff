/* Plugins with faults that only a sanitizer sees: FREES_EARLY frees the record of a thread that leaves, though the list
 * still holds it; RACES counts sections in a plain variable. Otherwise each reader shows when its section began, and an
 * updater waits until nobody shows an older time. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "torture/ops.h"

struct record {
  _Atomic uint64_t since; /* 0: outside */
  unsigned depth;
  struct record *next;
};

static _Atomic uint64_t now = 1;
static struct record *records;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
#ifdef RACES
static uint64_t sections;
#endif

static void *create(void) { return &records; }

static void *enlist(void *dom) {
  (void)dom;
  struct record *mine = calloc(1, sizeof *mine);
  if (!mine) return NULL;
  pthread_mutex_lock(&mutex);
  mine->next = records;
  records = mine;
  pthread_mutex_unlock(&mutex);
  return mine;
}

static void dismiss(void *dom, void *ctx) {
  (void)dom, (void)ctx;
#ifdef FREES_EARLY
  free(ctx);
#endif
}

/* Sequentially consistent throughout: its orders are not what is wrong. */
static uint64_t enter(void *dom, void *ctx) {
  (void)dom;
  struct record *mine = ctx;
#ifdef RACES
  ++sections;
#endif
  if (mine->depth++ == 0) atomic_store(&mine->since, atomic_load(&now));
  return 0;
}

static void leave(void *dom, void *ctx, uint64_t token) {
  (void)dom, (void)token;
  struct record *mine = ctx;
  if (--mine->depth == 0) atomic_store(&mine->since, 0);
}

static void wait_for_readers(void *dom, void *ctx) {
  (void)dom, (void)ctx;
  const uint64_t began = atomic_fetch_add(&now, 1) + 1;
  pthread_mutex_lock(&mutex);
  for (struct record *r = records; r; r = r->next) {
    for (uint64_t since; (since = atomic_load(&r->since)) != 0 && since < began;) sched_yield();
  }
  pthread_mutex_unlock(&mutex);
}

const struct srcutorture_ops srcutorture_ops = {
    .version = SRCUTORTURE_OPS_VERSION,
    .size = sizeof(struct srcutorture_ops),
    .name = "unsound",
    .facts = SRCUTORTURE_NESTS | SRCUTORTURE_STALLED_READER_BLOCKS_ALL,
    .create = create,
    .read_lock = enter,
    .read_unlock = leave,
    .synchronize = wait_for_readers,
    .thread_register = enlist,
    .thread_unregister = dismiss,
};
