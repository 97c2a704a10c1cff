// Threads that come, read a little, and go: registration and departure under load.
#pragma once

#include <atomic>
#include <cstdint>

#include "torture/threads/world.hpp"

namespace torture {

/// One parent thread; every `delay_ns` it starts `burst` children one after the other, each of which
/// registers, reads, and leaves. rcutorture's read_exit_delay and read_exit_burst.
class ReadExit {
 public:
  /// `visitor`: the counters that all children use, one at a time.
  ReadExit(World& world, Visitor& visitor, unsigned burst, uint64_t delay_ns);
  void run();
  uint64_t exits() const { return peek(exits_); }

 private:
  void child();

  World& world_;
  Visitor& visitor_;
  unsigned burst_;
  uint64_t delay_ns_;
  std::atomic<uint64_t> exits_{0};
};

}  // namespace torture
