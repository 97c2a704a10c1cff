/* Three plugins for the loader's test: a sound one, one of another version, one that exports nothing. */
#include "torture/ops.h"

#ifndef PLUGIN_EMPTY
static void *create(void) { return (void *)&srcutorture_ops; }
static uint64_t read_lock(void *dom, void *ctx) { (void)dom, (void)ctx; return 0; }
static void read_unlock(void *dom, void *ctx, uint64_t token) { (void)dom, (void)ctx, (void)token; }
static void synchronize(void *dom, void *ctx) { (void)dom, (void)ctx; }

const struct srcutorture_ops srcutorture_ops = {
    .version = PLUGIN_VERSION,
    .size = sizeof(struct srcutorture_ops),
    .name = "test-plugin",
    .create = create,
    .read_lock = read_lock,
    .read_unlock = read_unlock,
    .synchronize = synchronize,
};
#else
int nothing_to_see;
#endif
