// irq_works that wait for an interrupt: a CPU's for its tick, a thread's for the interrupt that it sends itself.
#pragma once

#include <atomic>

#include "srcu/platform/irq.hpp"

namespace torture::kernel {

class IrqWorks {
 public:
  /// One that was claimed. Any context, NMI too.
  void push(srcu::IrqWork& work) {
    srcu::IrqWork* first = first_.load(std::memory_order_relaxed);  // relaxed: the exchange confirms it
    do {
      work.next = first;
      // release: pairs with take()
    } while (!first_.compare_exchange_weak(first, &work, std::memory_order_release, std::memory_order_relaxed));
  }

  /// Takes all that are there, and calls `each` with one after the other. False if there was none.
  template <class Each>
  bool take(Each each) {
    srcu::IrqWork* work = first_.exchange(nullptr, std::memory_order_acquire);  // pairs with push()
    const bool any = work;
    while (work) {
      srcu::IrqWork* const next = work->next;  // before: it may be queued again at once
      each(*work);
      work = next;
    }
    return any;
  }

  bool empty() const { return !first_.load(std::memory_order_relaxed); }  // relaxed: a look in passing

 private:
  std::atomic<srcu::IrqWork*> first_{nullptr};
};

}  // namespace torture::kernel
