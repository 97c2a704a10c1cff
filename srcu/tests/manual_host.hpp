// A host that runs nothing by itself: the test sees what was queued, and runs it when it likes. So each state of the
// machine can be looked at for as long as need be.
#pragma once

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "srcu/tests/support.hpp"

namespace srcu::test {

class ManualHost {
  struct Queued {
    const Work* work;
    uint64_t delay_ns;
  };

 public:
  static const Host host;
  static inline thread_local bool holds_lock = false;  ///< What it says of its own locks.

  /// The delay that `work` is queued with; nothing if it is not queued.
  static std::optional<uint64_t> delay(const Work& work) {
    const std::lock_guard locked(mutex);
    const auto at = find(work);
    return at == queued.end() ? std::nullopt : std::optional(at->delay_ns);
  }

  /// Runs `work` if it is queued, whatever its delay.
  static bool run(Work& work) {
    if (!take(work)) return false;
    work.run(work.owner);
    return true;
  }

  /// Runs the first of those that are queued; the delay it had, or nothing.
  static std::optional<uint64_t> run_one() {
    Queued first;
    {
      const std::lock_guard locked(mutex);
      if (queued.empty()) return std::nullopt;
      first = queued.front();
      queued.erase(queued.begin());
    }
    first.work->run(first.work->owner);
    return first.delay_ns;
  }

  /// Takes `work` off the queue; false if it is not there.
  static bool take(const Work& work) {
    const std::lock_guard locked(mutex);
    const auto at = find(work);
    if (at == queued.end()) return false;
    queued.erase(at);
    return true;
  }

  static void queue(Work& work, uint64_t delay_ns) {
    note("work");
    const std::lock_guard locked(mutex);
    const auto at = find(work);
    if (at == queued.end())
      queued.push_back({&work, delay_ns});
    else
      at->delay_ns = std::min(at->delay_ns, delay_ns);
  }

  /// Real ones, which run when interrupts are on.
  static void queue_irq(IrqWork& work) {
    note("irq_work");
    irq_work_queue(work);
  }

  /// The services asked for since the last look, in order, each with a star if the caller held a Spinlock. One thread.
  static std::string asked() { return std::exchange(services, ""); }

 private:
  static void note(const char* service) {
    if (!services.empty()) services += ' ';
    services += service;
    if (holds_spinlock()) services += '*';
  }

  static std::vector<Queued>::iterator find(const Work& work) {
    return std::find_if(queued.begin(), queued.end(), [&](const Queued& each) { return each.work == &work; });
  }

  static inline std::mutex mutex;
  static inline std::vector<Queued> queued;
  static inline thread_local std::string services;
};

inline const Host ManualHost::host = {
    "manual",
    [](Work& work, uint64_t delay_ns) { ManualHost::queue(work, delay_ns); },
    [](Work& work) { ManualHost::take(work); },
    [](IrqWork& work) { ManualHost::queue_irq(work); },
    irq_work_sync,
    [] { return ManualHost::holds_lock; },
    [] { return true; },
    [] {},
    [] {},
    [] {},
    [](bool) { return true; },
};

/// A domain on that host, and a reader whose sections the test opens in the rank that it wants: as a real reader does
/// that read the rank some time ago.
class OnManualHost : public testing::Test {
 protected:
  OnManualHost() { usage.host = &ManualHost::host; }
  ~OnManualHost() override {
    // What a failed test left undone is done by a helper, so that the domain can be cleaned up.
    ManualHost::holds_lock = false;
    Staging& staged = usage.data.staged;
    for (Work* work : {&usage.gp_work, &usage.data.invoke_work, &staged.turn, &staged.timer}) ManualHost::take(*work);
    usage.host = &native_host;
    native_host.start();
    for (Work* work : {&usage.gp_work, &usage.data.invoke_work}) native_host.queue_delayed_work(*work, 0);
  }

  uint32_t current() const { return usage.rank; }
  srcu_slot& own_slot() {
    take_thread_number();
    return usage.slots[srcu_slot_offset / sizeof(srcu_slot)];
  }
  void open(uint32_t rank) { srcu_count_and_fence(&own_slot().rank[rank].lock); }
  void close(uint32_t rank) { srcu_count(&own_slot().rank[rank].unlock); }

  uint64_t ask(bool hurry = false) {
    const uint64_t seq = snapshot(usage);
    request(usage, seq, hurry, false);
    return seq;
  }
  void turn() { process_grace_periods(&usage); }
  uint64_t seq() const { return usage.gp_seq.load(std::memory_order_acquire); }
  GpState state() const { return seq_state(seq()); }
  std::optional<uint64_t> next_turn() const { return ManualHost::delay(usage.gp_work); }

  Domain domain;
  Usage& usage = domain.usage();
};

}  // namespace srcu::test
