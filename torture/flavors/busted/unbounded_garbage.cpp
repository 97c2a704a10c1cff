// Callbacks wait for the end of the domain, whatever the garbage.
#include <mutex>
#include <vector>

#include "torture/flavors/table.hpp"

namespace torture {
namespace {

std::mutex mutex;
std::vector<std::pair<srcutorture_head*, srcutorture_cb>> waiting;

void call(void*, void*, srcutorture_head* head, srcutorture_cb callback) {
  const std::lock_guard lock(mutex);
  waiting.emplace_back(head, callback);
}

void destroy(void* dom) {
  urcu_mb.synchronize(dom, nullptr);
  for (const auto& [head, callback] : waiting) callback(head);
  waiting.clear();
}

uint64_t pending_bytes(void*) {
  constexpr uint64_t typical_element = 256;  // a scheme knows heads, not elements
  const std::lock_guard lock(mutex);
  return waiting.size() * typical_element;
}

Ops broken() {
  Ops ops = urcu_mb;
  ops.name = "busted_unbounded_garbage";
  ops.facts &= ~static_cast<uint64_t>(SRCUTORTURE_CALL_IN_READER);
  ops.call = call;
  ops.destroy = destroy;
  ops.barrier = nullptr;
  ops.pending_bytes = pending_bytes;
  return ops;
}

}  // namespace

const Ops busted_unbounded_garbage = broken();

}  // namespace torture
