#include "torture/threads/domains.hpp"

namespace torture {

Domains::Domains(World& world, unsigned most) : world_(world), most_(most), random_(world.seed, "domains", 0) {}

void Domains::on_callback(srcutorture_head* head) {
  auto* post = reinterpret_cast<Post*>(head);
  One* const one = post->one;
  delete post;
  one->invoked.fetch_add(1, std::memory_order_release);  // release: pairs with the acquire in end()
}

// Inside the first, everything happens to the others.
void Domains::use(std::vector<One>& all) {
  const Ops& ops = world_.ops;
  const uint64_t outer = ops.read_lock(all.front().domain, nullptr);
  for (size_t i = 1; i < all.size(); ++i) {
    One& one = all[i];
    const uint64_t inner = ops.read_lock(one.domain, nullptr);
    for (uint64_t posts = random_.below(16); ops.call && posts > 0; --posts) {
      auto* post = new Post{{}, &one};
      ++one.posted;
      ops.call(one.domain, nullptr, &post->head, on_callback);
    }
    ops.read_unlock(one.domain, nullptr, inner);
    bump(steps_);
    if (ops.synchronize && random_.one_in(2)) ops.synchronize(one.domain, nullptr);
    if (ops.expedited && random_.one_in(2)) ops.expedited(one.domain, nullptr);
  }
  ops.read_unlock(all.front().domain, nullptr, outer);
}

// destroy() must have invoked what was posted.
void Domains::end(One& one) {
  world_.ops.destroy(one.domain);
  bump(steps_);
  const uint64_t invoked = one.invoked.load(std::memory_order_acquire);  // acquire: pairs with on_callback
  if (invoked == one.posted) return;
  faults_.note(Check::kLostCallback, "a domain was ended before its callbacks had run: posted, invoked", one.posted,
               invoked);
}

void Domains::run() {
  Membership member(world_);
  while (!world_.stopped()) {
    member.pause_point([this] { return world_.now().updaters == 1; });
    busy_.store(true, std::memory_order_relaxed);
    std::vector<One> all(2 + random_.below(most_));
    for (One& one : all) {
      one.domain = world_.ops.create();
      if (!one.domain) throw harness::Broken("the scheme's create() returned null: free memory, or lower n_domains");
      bump(made_);
    }
    for (uint64_t rounds = 1 + random_.below(4); rounds > 0; --rounds) use(all);
    for (One& one : all) end(one);
    busy_.store(false, std::memory_order_relaxed);
    member.nap(random_.below(2'000'000));
  }
}

}  // namespace torture
