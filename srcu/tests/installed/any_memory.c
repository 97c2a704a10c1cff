// Domains in memory that is aligned as malloc() aligns it, and no better. Built with -fsanitize=undefined, which sees
// whoever counts on more.
#include <srcu/srcu.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #x), _Exit(1)))

_Static_assert(_Alignof(struct srcu_struct) <= _Alignof(max_align_t), "malloc() gives no more");

struct cache {
  struct srcu_struct srcu;
  struct rcu_head rcu;
  int ran;
};

static void on_grace_period(struct rcu_head *head) {
  struct cache *cache = (struct cache *)(void *)((char *)head - offsetof(struct cache, rcu));
  cache->ran = 1;
}

static void read_and_wait(struct srcu_struct *ssp, enum srcu_kind kind) {
  if (kind == SRCU_KIND_NORMAL) srcu_read_unlock(ssp, srcu_read_lock(ssp));
  if (kind == SRCU_KIND_FAST) srcu_read_unlock_fast(ssp, srcu_read_lock_fast(ssp));
  if (kind == SRCU_KIND_FAST_UPDOWN) srcu_up_read_fast(ssp, srcu_down_read_fast(ssp));
  synchronize_srcu(ssp);
}

static int init(struct srcu_struct *ssp, enum srcu_kind kind) {
  return kind == SRCU_KIND_NORMAL ? init_srcu_struct(ssp)
         : kind == SRCU_KIND_FAST ? init_srcu_struct_fast(ssp)
                                  : init_srcu_struct_fast_updown(ssp);
}

static void live_at(void *memory, enum srcu_kind kind) {
  struct cache *cache = memory;
  *cache = (struct cache){.ran = 0};
  CHECK(init(&cache->srcu, kind) == 0);
  for (int i = 0; i < 3; ++i) read_and_wait(&cache->srcu, kind);
  call_srcu(&cache->srcu, &cache->rcu, on_grace_period);
  srcu_barrier(&cache->srcu);
  CHECK(cache->ran && srcu_open_sections(&cache->srcu) == 0);
  cleanup_srcu_struct(&cache->srcu);
}

int main(void) {
  char *const line = aligned_alloc(64, 256);
  CHECK(line);
  for (size_t offset = 0; offset < 64; offset += _Alignof(max_align_t))
    for (enum srcu_kind kind = SRCU_KIND_NORMAL; kind <= SRCU_KIND_FAST_UPDOWN; ++kind) live_at(line + offset, kind);
  free(line);
  return 0;
}
