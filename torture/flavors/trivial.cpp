// A reader-writer lock. Slow and plainly right: if the torture fails it, the torture is wrong.
#include <pthread.h>

#include "torture/flavors/table.hpp"

namespace torture {
namespace {

pthread_rwlock_t lock =
    PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;  // or tight readers starve the writer
int the_domain;
thread_local uint64_t depth = 0;  // the lock itself does not nest when writers come first

void* create() { return &the_domain; }

uint64_t read_lock(void*, void*) {
  if (depth++ == 0) pthread_rwlock_rdlock(&lock);
  return 0;
}

void read_unlock(void*, void*, uint64_t) {
  if (--depth == 0) pthread_rwlock_unlock(&lock);
}

void synchronize(void*, void*) {
  pthread_rwlock_wrlock(&lock);
  pthread_rwlock_unlock(&lock);
}

void call(void* dom, void* ctx, srcutorture_head* head, srcutorture_cb callback) {
  synchronize(dom, ctx);
  callback(head);
}

void barrier(void*, void*) {}  // call() returns with its callback done

}  // namespace

constinit const Ops trivial =
    table({.name = "trivial",
           .facts = SRCUTORTURE_SLEEPING_READER | SRCUTORTURE_NESTS | SRCUTORTURE_CALLBACKS_INLINE |
                    SRCUTORTURE_STALLED_READER_BLOCKS_ALL,
           .create = create,
           .read_lock = read_lock,
           .read_unlock = read_unlock,
           .synchronize = synchronize,
           .call = call,
           .barrier = barrier});

}  // namespace torture
