#include "torture/threads/reader.hpp"

#include <optional>

namespace torture {

Reader::Reader(World& world, Visitor& visitor, Visitor* in_signal, harness::SignalInjector* injector,
               unsigned index)
    : world_(world), visitor_(visitor), in_signal_(in_signal), injector_(injector), index_(index) {}

void Reader::run() {
  Membership member(world_);
  visitor_.attach(member.ctx());
  std::optional<harness::SignalTarget> target;
  if (in_signal_) {
    in_signal_->attach(member.ctx());
    target.emplace(*injector_, index_, on_signal, this);
  }
  while (!world_.stopped()) {
    member.pause_point([this] { return index_ >= world_.now().readers; });
    const Phase& phase = world_.now();
    for (int i = 0; i < 64 && !world_.gate.closed(); ++i) visitor_.step(phase);
  }
  visitor_.detach();
}

// Interrupts run() anywhere: inside a section, inside the scheme's own lock and unlock, or parked, and then
// it must not read, since the sums of a parked torture stand still.
void Reader::on_signal(void* reader) {
  auto* self = static_cast<Reader*>(reader);
  if (!self->world_.gate.closed()) self->in_signal_->step(self->world_.now());
}

}  // namespace torture
