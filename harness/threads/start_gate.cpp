#include "harness/threads/start_gate.hpp"

namespace harness {

StartGate::StartGate(unsigned expected)
    : missing_(expected), outcome_(expected == 0 ? Outcome::open : Outcome::undecided) {}

bool StartGate::arrive() {
  std::unique_lock lock(mutex_);
  if (missing_ > 0 && --missing_ == 0 && outcome_ == Outcome::undecided) {
    outcome_ = Outcome::open;
    decided_.notify_all();
  }
  return outcome(lock);
}

void StartGate::fail() {
  std::lock_guard lock(mutex_);
  if (outcome_ != Outcome::undecided) return;
  outcome_ = Outcome::failed;
  decided_.notify_all();
}

bool StartGate::wait() {
  std::unique_lock lock(mutex_);
  return outcome(lock);
}

bool StartGate::outcome(std::unique_lock<std::mutex>& lock) {
  decided_.wait(lock, [this] { return outcome_ != Outcome::undecided; });
  return outcome_ == Outcome::open;
}

}  // namespace harness
