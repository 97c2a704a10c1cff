// A configuration that many threads read all the time, and one replaces. Readers take no lock and write to no shared
// line; each sees one whole version, and it stays valid until the reader has let go of it.
//
// cc config_snapshot.c $(pkg-config --cflags --libs srcu) && ./a.out
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <srcu/srcu.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { kReaders = 3, kMeetings = 2000 };

struct config {
  int version;
  int twice;  // 2 * version: a reader that saw half of one version and half of another would notice
};

DEFINE_STATIC_SRCU(config_srcu);
static struct config *current_config;

static atomic_bool stop;
static atomic_long reads, wrong, meetings;

static struct config *make(int version) {
  struct config *fresh = malloc(sizeof *fresh);
  if (!fresh) abort();
  *fresh = (struct config){.version = version, .twice = 2 * version};
  return fresh;
}

static void *read_configs(void *unused) {
  int newest = -1;
  while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
    const int idx = srcu_read_lock(&config_srcu);
    const struct config *config = srcu_dereference(current_config, &config_srcu);
    const int version = config->version;
    if ((version & 1023) == 0) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);  // readers may sleep
    if (config->twice != 2 * version || version < newest) atomic_fetch_add(&wrong, 1);
    srcu_read_unlock(&config_srcu, idx);  // from here on, config may be freed

    if (version != newest) atomic_fetch_add(&meetings, 1);
    newest = version;
    atomic_fetch_add_explicit(&reads, 1, memory_order_relaxed);
  }
  return unused;
}

// The one updater. Several would need a mutex around this.
static void replace(struct config *fresh) {
  struct config *old = current_config;
  rcu_assign_pointer(current_config, fresh);  // new readers find the new one
  synchronize_srcu(&config_srcu);             // those that may have found the old one are done
  *old = (struct config){.version = -1};      // a reader that still looked at it would find it wrong
  free(old);
}

int main(void) {
  pthread_t readers[kReaders];
  current_config = make(0);
  for (int i = 0; i < kReaders; ++i) pthread_create(&readers[i], NULL, read_configs, NULL);
  int version = 0;
  while (meetings < kMeetings) replace(make(++version));
  atomic_store(&stop, true);
  for (int i = 0; i < kReaders; ++i) pthread_join(readers[i], NULL);
  cleanup_srcu_struct(&config_srcu);
  free(current_config);

  printf("%d versions, %ld reads, %ld times a reader met a new version, %ld reads wrong\n", version, reads, meetings, wrong);
  return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
