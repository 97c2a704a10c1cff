#include "torture/threads/read_exit.hpp"

#include "harness/base/clock.hpp"
#include "harness/threads/named_thread.hpp"

namespace torture {

ReadExit::ReadExit(World& world, Visitor& visitor, unsigned burst, uint64_t delay_ns)
    : world_(world), visitor_(visitor), burst_(burst), delay_ns_(delay_ns) {}

void ReadExit::child() {
  Membership member(world_, true);
  visitor_.attach(member.ctx());
  const Phase& phase = world_.now();
  for (int i = 0; i < 200 && !world_.readers_shall_park(); ++i) visitor_.step(phase);
  member.pause_point([] { return false; });
  for (int i = 0; i < 200 && !world_.readers_shall_park(); ++i) visitor_.step(phase);
  visitor_.detach();
}

// The parent is no member: it only waits, and a gate that waits for it would wait for its child twice.
void ReadExit::run() {
  while (!world_.stopped()) {
    const uint64_t end = harness::now_ns() + delay_ns_;
    while (harness::now_ns() < end && !world_.stopped()) harness::sleep_ns(5'000'000);
    for (unsigned i = 0; i < burst_ && !world_.stopped(); ++i) {
      if (world_.now().updaters != 1) {
        harness::NamedThread("read_exit/child", std::nullopt, [this] { child(); }).join();
        bump(exits_);
      }
    }
  }
}

}  // namespace torture
