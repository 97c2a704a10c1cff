// Until a step is made others may make theirs; then it is made at once.
#include "harness/engine/litmus/real_words.hpp"

#include "harness/engine/litmus/real.hpp"
#include "harness/engine/run.hpp"

namespace engine::litmus::real {
namespace {

bool locked;

Step on_lock(Kind kind, Order order, uintptr_t pc) { return {kind, order, sizeof locked, reinterpret_cast<uintptr_t>(&locked), pc}; }

}  // namespace

void reset_words() { locked = false; }

void membarrier() {
  Inside in;
  in->membarrier(ENGINE_CALLER);
}

void lock() {
  Inside in;
  in->point(on_lock(Kind::kLock, Order::kAcquire, ENGINE_CALLER));
  while (locked) in->block(&locked, "lock");
  locked = true;
  in->memory().acquire_from(in->self(), &locked);
  in->did(0, 1);
}

void unlock() {
  Inside in;
  in->point(on_lock(Kind::kUnlock, Order::kRelease, ENGINE_CALLER));
  locked = false;
  in->memory().release_to(in->self(), &locked);
  in->did(1, 0);
  in->wake(&locked, kMaxThreads);
}

}  // namespace engine::litmus::real
