#include "torture/threads/reader.hpp"

namespace torture {

Reader::Reader(World& world, Visitor& visitor, Interrupt* interrupt, unsigned index)
    : world_(world), visitor_(visitor), interrupt_(interrupt), index_(index) {}

void Reader::run() {
  Membership member(world_, true);
  visitor_.attach(member.ctx());
  const Interrupt::Here interrupted(interrupt_, member.ctx());
  while (!world_.stopped()) {
    member.pause_point([this] { return index_ >= world_.now().readers; });
    const Phase& phase = world_.now();
    const auto closed = [this] { return world_.readers_shall_park(); };
    if (phase.relay && (world_.ops.facts & SRCUTORTURE_NESTS)) {
      visitor_.relay(phase, 1000 + index_, closed);  // of unequal lengths, or all would end together
      continue;
    }
    for (int i = 0; i < 64 && !closed(); ++i) visitor_.step(phase);
  }
  visitor_.detach();
}

}  // namespace torture
