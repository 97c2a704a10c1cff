#include "torture/threads/fakewriter.hpp"

namespace torture {

Fakewriter::Fakewriter(World& world, const GraceKinds& kinds, unsigned index)
    : world_(world),
      kinds_(kinds),
      random_(world.seed, "fakewriter", index),
      grace_(world.ops, world.domain) {}

void Fakewriter::run() {
  Membership member(world_);
  grace_.attach();
  void* ctx = member.ctx();
  while (!world_.stopped()) {
    // With one updater alone in a phase there is no company for it either.
    member.pause_point([this] { return world_.now().updaters == 1; });
    member.nap(random_.below(10'000'000));
    if (world_.ops.barrier && random_.one_in(8)) {
      world_.ops.barrier(world_.domain, ctx);
      continue;
    }
    const GraceKind kind = kinds_[random_.below(kinds_.size())];
    if (kind == GraceKind::kCall) continue;
    grace_.arm();
    grace_.wait(kind, ctx, [this] { return world_.stopped(); });
  }
}

}  // namespace torture
