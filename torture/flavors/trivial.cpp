// A reader-writer lock. Slow and plainly right: if the torture fails it, the torture is wrong.
#include <pthread.h>

#include <atomic>

#include "torture/flavors/table.hpp"

namespace torture {
namespace {

pthread_rwlock_t lock =
    PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;  // or tight readers starve the writer
int the_domain;
thread_local uint64_t depth = 0;  // the lock itself does not nest when writers come first

std::atomic<long> open_sections{0};
std::atomic<uint64_t> waiting_heads{0};

/// Instants at which nobody was inside. A grace period is such an instant: what came before it is over.
std::atomic<uint64_t> instants{0};

void* create() { return &the_domain; }

uint64_t read_lock(void*, void*) {
  if (depth++ == 0) pthread_rwlock_rdlock(&lock);
  open_sections.fetch_add(1, std::memory_order_relaxed);  // relaxed: see reader_balance()
  return 0;
}

void read_unlock(void*, void*, uint64_t) {
  open_sections.fetch_sub(1, std::memory_order_relaxed);  // relaxed: see reader_balance()
  if (--depth == 0) pthread_rwlock_unlock(&lock);
}

void synchronize(void*, void*) {
  pthread_rwlock_wrlock(&lock);
  // acq_rel [instant]: pairs with the release in get_state() and the acquire in poll_state().
  instants.fetch_add(1, std::memory_order_acq_rel);
  pthread_rwlock_unlock(&lock);
}

// The next instant. A writer that holds the lock already has either had its instant, and then it is counted
// here, or is still to have it, and then that is one after now. Adding nothing, not loading, decides which:
// read-modify-writes stand in one order, so an instant that is not counted yet comes after all that the
// caller did.
uint64_t get_state(void*) {
  return instants.fetch_add(0, std::memory_order_release) + 1;  // release: pairs with [instant]
}

// Has the grace period at once: there is nobody else to see to it.
uint64_t start_poll(void* dom, void* ctx) {
  const uint64_t cookie = get_state(dom);
  synchronize(dom, ctx);
  return cookie;
}

bool poll_state(void*, uint64_t cookie) {
  return instants.load(std::memory_order_acquire) >= cookie;  // acquire: pairs with [instant]
}

void call(void* dom, void* ctx, srcutorture_head* head, srcutorture_cb callback) {
  waiting_heads.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
  synchronize(dom, ctx);
  waiting_heads.fetch_sub(1, std::memory_order_relaxed);
  callback(head);
}

void barrier(void*, void*) {}  // call() returns with its callback done

// relaxed: who opens a section holds the lock, so this stands still in sections by itself
uint64_t gp_seq(void*) { return instants.load(std::memory_order_relaxed); }

// relaxed, both: who asks for an exact figure has ordered everybody's last change before
uint64_t pending_bytes(void*) {
  return waiting_heads.load(std::memory_order_relaxed) * sizeof(srcutorture_head);
}
long reader_balance(void*) { return open_sections.load(std::memory_order_relaxed); }

}  // namespace

constinit const Ops trivial =
    table({.name = "trivial",
           .facts = SRCUTORTURE_SLEEPING_READER | SRCUTORTURE_NESTS | SRCUTORTURE_CALLBACKS_INLINE |
                    SRCUTORTURE_STALLED_READER_BLOCKS_ALL | SRCUTORTURE_GP_SEQ_EXACT,
           .create = create,
           .read_lock = read_lock,
           .read_unlock = read_unlock,
           .synchronize = synchronize,
           .call = call,
           .expedited = synchronize,
           .barrier = barrier,
           .get_state = get_state,
           .start_poll = start_poll,
           .poll_state = poll_state,
           .gp_seq = gp_seq,
           .pending_bytes = pending_bytes,
           .reader_balance = reader_balance});

}  // namespace torture
