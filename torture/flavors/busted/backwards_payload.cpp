// Readers now and then see an older element after a newer one, though both are alive.
#include "torture/flavors/table.hpp"

// Sections are batched: the real one stays open until the reader says that it is quiescent, so whatever was
// loaded since it opened is still valid. protect() goes back to the first load of the batch.

namespace torture {
namespace {

struct Batch {
  bool open = false;
  unsigned depth = 0, loads = 0;
  void** slot = nullptr;
  void* first = nullptr;
};
thread_local Batch batch;

uint64_t read_lock(void* dom, void* ctx) {
  if (!batch.open) {
    urcu_mb.read_lock(dom, ctx);
    batch = {.open = true};
  }
  ++batch.depth;
  return 0;
}

void read_unlock(void*, void*, uint64_t) { --batch.depth; }

void close_batch(void* dom, void* ctx) {
  if (!batch.open || batch.depth != 0) return;
  batch.open = false;
  urcu_mb.read_unlock(dom, ctx, 0);
}

void* protect(void*, void*, void** slot) {
  void* now = __atomic_load_n(slot, __ATOMIC_ACQUIRE);  // acquire: the publication's partner
  if (!batch.slot) {
    batch.slot = slot;
    batch.first = now;
  }
  return slot == batch.slot && ++batch.loads % 4 == 3 ? batch.first : now;
}

void thread_unregister(void* dom, void* ctx) {
  close_batch(dom, ctx);
  urcu_mb.thread_unregister(dom, ctx);
}

Ops broken() {
  Ops ops = urcu_mb;
  ops.name = "busted_backwards_payload";
  ops.facts &= ~static_cast<uint64_t>(SRCUTORTURE_READER_IN_SIGNAL);
  ops.read_lock = read_lock;
  ops.read_unlock = read_unlock;
  ops.protect = protect;
  ops.thread_unregister = thread_unregister;
  ops.quiescent_state = close_batch;
  return ops;
}

}  // namespace

const Ops busted_backwards_payload = broken();

}  // namespace torture
