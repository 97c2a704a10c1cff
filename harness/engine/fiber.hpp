// A controlled thread's machine state: a stack of its own, and a thread pointer of its own, so that thread_local, errno and
// pthread_self() are what they would be in a thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace engine {

class Fiber {
 public:
  Fiber() = default;  ///< The caller's own stack and thread, once something is switched to from here.
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// The pool's fiber `index`, at the same addresses in every process: addresses decide nothing, but they show in values.
  void place(unsigned index);
  bool placed() const { return stack_top_ != 0; }

  /// Next time it is switched to, it runs `body`, which must never return, on an empty stack and with thread_local variables
  /// as in a new thread. What it was doing before is forgotten, destructors included.
  void restart(void (*body)());

  /// The stack is in use down to here, at least. What lies above this is zeroed by restart(), so that code which reads what it never
  /// wrote reads the same in each process.
  void used_to(uintptr_t address) {
    if (address < lowest_) lowest_ = address;
  }

  /// Leaves `from`, which is running, for `to`. Returns when somebody comes back.
  static void run(Fiber& from, Fiber& to);

  bool on_stack(uintptr_t address) const { return stack_top_ - address - 1 < kStackBytes; }

  static constexpr size_t kStackBytes = size_t{512} << 10;

 private:
  uintptr_t stack_pointer_ = 0;
  uintptr_t thread_pointer_ = 0;
  uintptr_t stack_top_ = 0;
  uintptr_t lowest_ = 0;
};

}  // namespace engine
