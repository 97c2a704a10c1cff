#include "torture/threads/park_gate.hpp"

#include <chrono>

namespace torture {

void ParkGate::join() {
  const std::lock_guard lock(mutex_);
  ++joined_;
}

void ParkGate::leave() {
  const std::lock_guard lock(mutex_);
  --joined_;
  arrived_.notify_all();
}

bool ParkGate::close(uint64_t limit_ns) {
  std::unique_lock lock(mutex_);
  closed_.store(true, std::memory_order_relaxed);  // relaxed: see closed()
  return arrived_.wait_for(lock, std::chrono::nanoseconds(limit_ns), [this] { return parked_ == joined_; });
}

void ParkGate::open() {
  const std::lock_guard lock(mutex_);
  closed_.store(false, std::memory_order_relaxed);  // relaxed: the mutex publishes it to the waiters
  opened_.notify_all();
}

}  // namespace torture
