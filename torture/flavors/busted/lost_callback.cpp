// call() forgets one callback in 64.
#include <atomic>

#include "torture/flavors/table.hpp"

namespace torture {
namespace {

std::atomic<unsigned> posts{0};

void call(void* dom, void* ctx, srcutorture_head* head, srcutorture_cb callback) {
  if (posts.fetch_add(1, std::memory_order_relaxed) % 64 == 63) return;  // relaxed: a count
  urcu_mb.call(dom, ctx, head, callback);
}

Ops broken() {
  Ops ops = urcu_mb;
  ops.name = "busted_lost_callback";
  ops.call = call;
  ops.barrier = nullptr;  // it would notice too, under another name
  return ops;
}

}  // namespace

const Ops busted_lost_callback = broken();

}  // namespace torture
