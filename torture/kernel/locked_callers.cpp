#include "torture/kernel/locked_callers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "srcu/platform/env.hpp"
#include "torture/kernel/natural.hpp"

namespace torture::kernel {
namespace {

constexpr uint64_t kSlice = 5'000'000;
constexpr uint32_t kOneIn = 16;  // how often a natural path that comes by posts

}  // namespace

void Account::post() {
  if (world_.gate.closed() || world_.stopped()) return;
  // relaxed: where to begin to look
  Head& head = heads_[next_.fetch_add(1, std::memory_order_relaxed) % heads_.size()];
  HeadState ours = HeadState::kOurs;
  // acquire: pairs with the release in on_callback(): the scheme has done with the head.
  if (!head.state.compare_exchange_strong(ours, HeadState::kPosted, std::memory_order_acquire)) return;
  posted_.fetch_add(1, std::memory_order_relaxed);  // relaxed: before the callback by what call() orders
  world_.ops.call(world_.domain, nullptr, &head.head, on_callback);
}

void Account::on_callback(srcutorture_head* head) {
  auto* const mine = reinterpret_cast<Head*>(head);
  Account* const account = mine->account;
  // release: pairs with the acquire in post()
  if (mine->state.exchange(HeadState::kOurs, std::memory_order_release) == HeadState::kPosted)
    account->invoked_.fetch_add(1, std::memory_order_release);  // pairs with the acquire in invoked()
  else
    account->doubled_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
}

LockedCallers::LockedCallers(World& world, srcu_struct& other, const std::vector<const Context*>& chosen,
                             unsigned callers, uint64_t onoff_ns)
    : world_(world), other_(other), callers_(callers), steps_(callers), onoff_ns_(onoff_ns) {
  for (const Context* context : chosen) {
    Account& account = accounts_.emplace_back(*context, world);
    if (!context->tracepoint) {
      visited_.push_back(&account);
      continue;
    }
    const Program program{[](void* account) { static_cast<Account*>(account)->post(); }, &account, kOneIn};
    programs_.push_back(std::make_unique<Attached>(std::vector{context->tracepoint}, program));
  }
}

void LockedCallers::start() {
  for (unsigned i = 0; i < callers_; ++i) {
    Cpu& home = cpu(i % settings.cpus);
    tasks_.push_back(std::make_unique<Task>(fmt::format("locked/{}", i), home));
    threads_.emplace_back(fmt::format("locked/{}", i), home.pu(), [this, i] { run(i); });
  }
  if (onoff_ns_) threads_.emplace_back("onoff", std::nullopt, [this] { turn_cpus_off_and_on(); });
}

void LockedCallers::stop() {
  threads_.clear();
  programs_.clear();
}

void LockedCallers::visit(Account& account, harness::Random& random) {
  const Context& context = account.context();
  Cpu& where = cpu(static_cast<unsigned>(context.by_instance ? random.below(settings.cpus) : this_cpu().id));
  // The domain that is posted to is this project's SRCU: the laboratory is made for no other.
  srcu_struct& domain =
      context.by_domain && random.one_in(2) ? other_ : *static_cast<srcu_struct*>(world_.domain);
  const Scene scene{domain, where, static_cast<unsigned>(random.below(context.places))};
  context.run_in(scene, {[](void* account) { static_cast<Account*>(account)->post(); }, &account});
}

// What takes the scheduler's locks and SRCU's, as it happens all day.
void LockedCallers::stir(harness::Random& random) {
  srcu_struct& own = *static_cast<srcu_struct*>(world_.domain);
  Cpu& where = cpu(static_cast<unsigned>(random.below(settings.cpus)));
  switch (random.below(4)) {
    case 0:
      return run_work(where);
    case 1:
      return let_timers_expire(where);
    case 2:
      return post_and_wait(random.one_in(2) ? own : other_);
    default:
      return random.one_in(2) ? synchronize_srcu_expedited(random.one_in(2) ? &own : &other_) : synchronize_srcu(&other_);
  }
}

void LockedCallers::turn_cpus_off_and_on() {
  const Member member("onoff");
  harness::Random random(world_.seed, "onoff", 0);
  while (!world_.stopped()) {
    for (uint64_t slept = 0; slept < onoff_ns_ && !world_.stopped(); slept += kSlice) harness::sleep_ns(std::min(kSlice, onoff_ns_));
    if (world_.stopped()) break;
    Cpu& one = cpu(1 + static_cast<unsigned>(random.below(settings.cpus - 1)));
    one.set_online(!one.online());
    onoffs_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
  }
  for (unsigned id = 1; id < settings.cpus; ++id) cpu(id).set_online(true);
  ended_.fetch_add(1, std::memory_order_release);  // pairs with all_ended()
}

void LockedCallers::run(unsigned index) {
  {
    Membership member(world_, true);  // some contexts are sections
    const OnCpu on_cpu(*tasks_[index]);
    harness::Random random(world_.seed, "locked", index);
    while (!world_.stopped()) {
      member.pause_point([] { return false; });
      if (visited_.empty() || random.one_in(4))
        stir(random);
      else
        visit(*visited_[random.below(visited_.size())], random);
      steps_[index].fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
    }
  }
  ended_.fetch_add(1, std::memory_order_release);  // pairs with all_ended()
}

}  // namespace torture::kernel
