#include "torture/threads/interrupt.hpp"

namespace torture {

Interrupt::Interrupt(World& world, Visitor& reads, SignalPoster* posts, harness::SignalInjector& injector, unsigned index)
    : world_(world), reads_(reads), posts_(posts), injector_(injector), index_(index) {}

Interrupt::Here::Here(Interrupt* interrupt, void* ctx) : interrupt_(interrupt) {
  if (!interrupt) return;
  interrupt->reads_.attach(ctx);
  target_.emplace(interrupt->injector_, interrupt->index_, on_signal, interrupt);
}

Interrupt::Here::~Here() {
  target_.reset();
  if (interrupt_) interrupt_->reads_.detach();
}

void Interrupt::on_signal(void* interrupt) {
  auto* self = static_cast<Interrupt*>(interrupt);
  if (self->world_.readers_shall_park()) return;
  self->reads_.step(self->world_.now());
  if (self->posts_) self->posts_->post(self->reads_.ctx());
}

}  // namespace torture
