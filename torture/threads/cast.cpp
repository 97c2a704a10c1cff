#include "torture/threads/cast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace torture {
GraceKinds grace_kinds(const Ops& ops, const Params& params) {
  const bool all = !(params.gp_sync || params.gp_exp || params.gp_poll || params.gp_cond || params.gp_normal);
  GraceKinds kinds;
  if (ops.call && (all || params.gp_normal)) kinds.push_back(GraceKind::kCall);
  if (ops.synchronize && (all || params.gp_sync)) kinds.push_back(GraceKind::kSync);
  if (ops.expedited && (all || params.gp_exp)) kinds.push_back(GraceKind::kExpedited);
  if (ops.start_poll && ops.poll_state && (all || params.gp_poll)) kinds.push_back(GraceKind::kPoll);
  if (ops.get_state && ops.poll_state && ops.synchronize && (all || params.gp_cond)) {
    kinds.push_back(GraceKind::kConditional);
  }
  return kinds;
}

Roles Roles::of(const Ops& ops, const Params& params, unsigned cpus) {
  Roles roles{};
  roles.readers = params.nreaders >= 0 ? static_cast<unsigned>(params.nreaders) : std::clamp(cpus, 2U, 4U);
  roles.updaters = static_cast<unsigned>(params.nwriters);
  roles.fakewriters = static_cast<unsigned>(params.nfakewriters);
  const auto leave_out = [&roles](bool wanted, bool possible, const char* what) {
    if (wanted && !possible) roles.left_out.emplace_back(what);
    return wanted && possible;
  };
  roles.signals = leave_out(params.irqreader && roles.readers > 0, ops.facts & SRCUTORTURE_READER_IN_SIGNAL,
                            "no readers in signal handlers: the flavour does not allow them");
  roles.barrier = leave_out(params.n_barrier_cbs > 0, ops.barrier && ops.call,
                            "no barrier test: the flavour has no barrier or no call");
  roles.posters = roles.barrier ? static_cast<unsigned>(params.n_barrier_cbs) : 0;
  roles.flood =
      leave_out(params.fwd_progress, ops.call != nullptr, "no callback floods: the flavour has no call");
  roles.read_exit = params.read_exit_burst > 0;
  return roles;
}

harness::Roles Roles::seats() const {
  harness::Roles seats;
  const auto add = [&seats](const char* role, unsigned count) {
    if (count > 0) seats.emplace_back(role, count);
  };
  add("updater", updaters);  // first, so that it does not share its CPU with the first reader
  add("reader", readers);
  add("fakewriter", fakewriters);
  add("barrier", barrier ? 1 : 0);
  add("poster", posters);
  add("flood", flood ? 1 : 0);
  return seats;
}

Cast::Cast(World& world, const Params& params, const Roles& roles, harness::SignalInjector* injector)
    : world_(world), roles_(roles), kinds_(grace_kinds(world.ops, params)) {
  const Shape shape = Shape::of(params.workload);
  for (unsigned i = 0; i < roles.updaters; ++i) {
    stations_.push_back(std::make_unique<Station>(shape, world.seed, i));
    world.stations.push_back(stations_.back().get());
  }
  for (unsigned i = 0; i < roles.readers; ++i) {
    Visitor* task = add_visitor(Level::kTask, fmt::format("reader {}", i));
    Visitor* handler =
        roles.signals ? add_visitor(Level::kSignal, fmt::format("signal handler on reader {}", i)) : nullptr;
    readers_.push_back(std::make_unique<Reader>(world, *task, handler, injector, i));
  }
  if (roles.read_exit) {
    read_exit_ = std::make_unique<ReadExit>(world, *add_visitor(Level::kTask, "read-exit thread"),
                                            static_cast<unsigned>(params.read_exit_burst),
                                            static_cast<uint64_t>(params.read_exit_delay));
  }
  for (unsigned i = 0; i < roles.updaters; ++i) {
    updaters_.push_back(std::make_unique<Updater>(world, *stations_[i], kinds_, i));
    faults_.emplace_back(fmt::format("updater {}", i), &updaters_.back()->faults());
  }
  for (unsigned i = 0; i < roles.fakewriters; ++i) {
    fakewriters_.push_back(std::make_unique<Fakewriter>(world, kinds_, i));
  }
  if (roles.barrier) {
    barrier_ = std::make_unique<BarrierTorture>(world, roles.posters);
    faults_.emplace_back("barrier thread", &barrier_->faults());
  }
  if (roles.flood) {
    flood_ =
        std::make_unique<Flood>(world, Flood::Options{static_cast<uint64_t>(params.cbflood_max),
                                                      static_cast<uint64_t>(params.fwd_progress_holdoff),
                                                      world.ops.pending_bytes && params.garbage_bound > 0});
  }
}

Visitor* Cast::add_visitor(Level level, const std::string& name) {
  visitors_.push_back(std::make_unique<Visitor>(world_.ops, world_.domain, world_.stations, world_.visitors,
                                                static_cast<unsigned>(visitors_.size()), level, world_.seed));
  world_.visitors.push_back(visitors_.back().get());
  visitor_names_.push_back(name);
  faults_.emplace_back(name, &visitors_.back()->faults());
  return visitors_.back().get();
}

void Cast::add_thread(const std::string& role, unsigned index, const std::vector<harness::Seat>& seats,
                      std::function<void()> body) {
  std::optional<unsigned> pu;
  for (const harness::Seat& seat : seats) {
    if (seat.role == role && seat.index == index) pu = seat.pu;
  }
  const std::string name = fmt::format("{}/{}", role, index);
  threads_.push_back(std::make_unique<harness::NamedThread>(name, pu, [this, name, body = std::move(body)] {
    try {
      body();
    } catch (const std::exception&) {
      world_.give_up(why_broken(name));
    }
    ended_.fetch_add(1, std::memory_order_release);  // release: pairs with the acquire in all_ended()
  }));
}

void Cast::start(const std::vector<harness::Seat>& seats) {
  for (unsigned i = 0; i < readers_.size(); ++i)
    add_thread("reader", i, seats, [this, i] { readers_[i]->run(); });
  for (unsigned i = 0; i < updaters_.size(); ++i)
    add_thread("updater", i, seats, [this, i] { updaters_[i]->run(); });
  for (unsigned i = 0; i < fakewriters_.size(); ++i) {
    add_thread("fakewriter", i, seats, [this, i] { fakewriters_[i]->run(); });
  }
  if (barrier_) {
    add_thread("barrier", 0, seats, [this] { barrier_->run_barrier(); });
    for (unsigned i = 0; i < roles_.posters; ++i) {
      add_thread("poster", i, seats, [this, i] { barrier_->run_poster(i); });
    }
  }
  if (flood_) add_thread("flood", 0, seats, [this] { flood_->run(); });
  if (read_exit_) add_thread("read_exit", 0, seats, [this] { read_exit_->run(); });
}

bool Cast::all_ended() const { return ended_.load(std::memory_order_acquire) == threads_.size(); }

void Cast::join() {
  for (auto& thread : threads_) thread->join();
}

std::vector<Waiter> Cast::waiters() const {
  std::vector<Waiter> waiters;
  for (size_t i = 0; i < updaters_.size(); ++i)
    waiters.push_back({fmt::format("updater {}", i), &updaters_[i]->grace()});
  for (size_t i = 0; i < fakewriters_.size(); ++i)
    waiters.push_back({fmt::format("fakewriter {}", i), &fakewriters_[i]->grace()});
  return waiters;
}

Totals Cast::totals() const {
  Totals sum;
  for (const auto& visitor : visitors_) {
    sum.reads += visitor->sections();
    for (size_t i = 0; i < kPipeSlots; ++i) {
      sum.pipe[i] += visitor->pipe(i);
      sum.batch[i] += visitor->batch(i);
    }
    if (visitor->level() == Level::kSignal) sum.signal_reads += visitor->sections();
  }
  for (const auto& station : stations_) {
    const uint64_t invoked = station->invoked();  // before posted, so that the difference is never negative
    sum.invoked += invoked;
    sum.posted += station->posted();
    sum.pending_bytes += station->pending_bytes();
    for (size_t i = 0; i < kPipeSlots; ++i) sum.left_stage[i] += station->left_stage(i);
  }
  for (const auto& updater : updaters_) {
    sum.versions += updater->versions();
    sum.starved += updater->starved();
    sum.starving |= updater->starving();
    sum.gps += updater->grace().ended();
  }
  for (const auto& fakewriter : fakewriters_) sum.gps += fakewriter->grace().ended();
  if (barrier_) {
    sum.invoked += barrier_->invoked();
    sum.posted += barrier_->posted();
    sum.barriers = barrier_->barriers();
  }
  if (flood_) {
    sum.invoked += flood_->invoked();
    sum.posted += flood_->posted();
    sum.pending_bytes += flood_->pending_bytes();
    sum.floods = flood_->floods();
  }
  if (read_exit_) sum.read_exits = read_exit_->exits();
  sum.gp_seq = world_.ops.gp_seq ? world_.ops.gp_seq(world_.domain) : sum.gps;
  return sum;
}

}  // namespace torture
