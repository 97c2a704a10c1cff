// One callback in 64 is invoked twice.
#include <atomic>
#include <new>

#include "torture/flavors/table.hpp"

namespace torture {
namespace {

std::atomic<unsigned> invocations{0};

/// Behind what urcu_mb keeps in the head.
struct Note {
  void* urcu[4];
  srcutorture_cb callback;
};
static_assert(sizeof(Note) <= sizeof(srcutorture_head));

void on_grace_period(srcutorture_head* head) {
  const srcutorture_cb callback = reinterpret_cast<Note*>(head)->callback;
  const bool twice = invocations.fetch_add(1, std::memory_order_relaxed) % 64 == 63;  // relaxed: a count
  // `callback` was copied: the first call hands the head back, and it may be posted again meanwhile.
  callback(head);
  if (twice) callback(head);
}

void call(void* dom, void* ctx, srcutorture_head* head, srcutorture_cb callback) {
  reinterpret_cast<Note*>(head)->callback = callback;
  urcu_mb.call(dom, ctx, head, on_grace_period);
}

Ops broken() {
  Ops ops = urcu_mb;
  ops.name = "busted_double_callback";
  ops.call = call;
  return ops;
}

}  // namespace

const Ops busted_double_callback = broken();

}  // namespace torture
