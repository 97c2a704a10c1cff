#include "torture/threads/reader.hpp"

#include <optional>

namespace torture {

Reader::Reader(World& world, Visitor& visitor, Visitor* in_signal, harness::SignalInjector* injector,
               unsigned index)
    : world_(world), visitor_(visitor), in_signal_(in_signal), injector_(injector), index_(index) {}

void Reader::run() {
  Membership member(world_, true);
  visitor_.attach(member.ctx());
  std::optional<harness::SignalTarget> target;
  if (in_signal_) {
    in_signal_->attach(member.ctx());
    target.emplace(*injector_, index_, on_signal, this);
  }
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
}

// Interrupts run() anywhere: inside a section, inside the scheme's own lock and unlock, or parked, and then
// it must not read, since the sums of a parked torture stand still.
void Reader::on_signal(void* reader) {
  auto* self = static_cast<Reader*>(reader);
  if (!self->world_.readers_shall_park()) self->in_signal_->step(self->world_.now());
}

}  // namespace torture
