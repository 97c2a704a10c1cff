/* Plugins for the loader's test: a sound one; ones of another version, of another size, and without a way to wait, by
 * redefining the macros; one that exports nothing; ones that do something when they are loaded. */
#include "torture/ops.h"

#ifndef PLUGIN_VERSION
#define PLUGIN_VERSION SRCUTORTURE_OPS_VERSION
#endif
#ifndef PLUGIN_SIZE
#define PLUGIN_SIZE sizeof(struct srcutorture_ops)
#endif

#ifndef PLUGIN_EMPTY
static void *create(void) { return (void *)&srcutorture_ops; }
static uint64_t read_lock(void *dom, void *ctx) { (void)dom, (void)ctx; return 0; }
static void read_unlock(void *dom, void *ctx, uint64_t token) { (void)dom, (void)ctx, (void)token; }
#ifndef PLUGIN_SYNCHRONIZE
#define PLUGIN_SYNCHRONIZE synchronize
static void synchronize(void *dom, void *ctx) { (void)dom, (void)ctx; }
#endif

const struct srcutorture_ops srcutorture_ops = {
    .version = PLUGIN_VERSION,
    .size = PLUGIN_SIZE,
    .name = "test-plugin",
    .create = create,
    .read_lock = read_lock,
    .read_unlock = read_unlock,
    .synchronize = PLUGIN_SYNCHRONIZE,
};
#else
int nothing_to_see;
#endif

#ifdef PLUGIN_AT_LOAD
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static inline void leave(void) { _exit(0); }
static void *sleeper(void *none) { return pause(), none; }
static inline void start_thread(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, sleeper, NULL);
}
__attribute__((constructor)) static void at_load(void) { PLUGIN_AT_LOAD(); }
#endif
