// Who makes the next step. A strategy draws from its own stream only, so that equal settings give equal schedules.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "harness/base/random.hpp"
#include "harness/engine/settings.hpp"

namespace engine {

/// What can take a step: a thread, its store buffer (TSO), or the interrupt by which membarrier fences it.
using Agent = uint16_t;
inline constexpr Agent kBufferOf = kMaxThreads, kFenceOf = 2 * kMaxThreads, kAgents = 3 * kMaxThreads;

enum class Kind : uint8_t {
  kBegin, kLoad, kStore, kModify, kExchangeIf, kFence, kRead, kWrite, kFree, kAllocate, kWait, kWake, kLock, kUnlock, kStart, kJoin,
  kEnd, kYield, kSleep, kMembarrier, kFenced, kFlush, kCheck, kHandler, kClock, kFork, kLook,
};

/// A step that is about to be made.
struct Step {
  Kind kind = Kind::kBegin;
  Order order = Order::kSeqCst;
  uint32_t size = 0;
  uintptr_t address = 0;
  uintptr_t pc = 0;

  bool writes() const { return kind != Kind::kLoad && kind != Kind::kRead; }
  bool conflicts(const Step& other) const {
    return size != 0 && other.size != 0 && (writes() || other.writes()) && address < other.address + other.size &&
           other.address < address + size;
  }
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  virtual void begin(const Settings&) = 0;
  /// Among at least one, in ascending order; `next[agent]` is what that agent would do.
  virtual Agent pick(std::span<const Agent> able, const Step* next) = 0;
  virtual void yielded(Agent) = 0;  ///< It has nothing to do until others have been on.
};

/// One object for each strategy, reused for every execution.
std::unique_ptr<Scheduler> make_scheduler(Strategy);

}  // namespace engine
