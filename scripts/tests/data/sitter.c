/* A scheme with one fault, for tests: a reader-writer lock, and inside the 100,000th section its reader stays for
 * SIT_MS milliseconds, or for ever if that is 0. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "torture/ops.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static atomic_ulong sections;

static void *create(void) { return &lock; }

static uint64_t read_lock(void *dom, void *ctx) {
  (void)dom, (void)ctx;
  pthread_rwlock_rdlock(&lock);
  return 0;
}

static void read_unlock(void *dom, void *ctx, uint64_t token) {
  (void)dom, (void)ctx, (void)token;
  pthread_rwlock_unlock(&lock);
}

static void synchronize(void *dom, void *ctx) {
  (void)dom, (void)ctx;
  pthread_rwlock_wrlock(&lock);
  pthread_rwlock_unlock(&lock);
}

static double ms_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void *protect(void *dom, void *ctx, void **slot) {
  (void)dom, (void)ctx;
  if (atomic_fetch_add_explicit(&sections, 1, memory_order_relaxed) == 100000) {
    const double end = ms_now() + SIT_MS;
    while (SIT_MS == 0 || ms_now() < end) {
    }
  }
  return __atomic_load_n(slot, __ATOMIC_CONSUME);
}

static void print_state(void *dom, FILE *out) {
  (void)dom;
  fprintf(out, "sections %lu\nand no more\n", atomic_load_explicit(&sections, memory_order_relaxed));
}

const struct srcutorture_ops srcutorture_ops = {
    .version = SRCUTORTURE_OPS_VERSION,
    .size = sizeof(struct srcutorture_ops),
    .name = "sitter",
    .create = create,
    .read_lock = read_lock,
    .read_unlock = read_unlock,
    .synchronize = synchronize,
    .protect = protect,
    .print_state = print_state,
};
