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
  roles.signal_posts = roles.signals && leave_out(params.nmi_calls, ops.facts & SRCUTORTURE_CALL_IN_SIGNAL,
                                                  "no posts from signal handlers: the flavour does not allow them");
  roles.up_down = leave_out(params.n_up_down > 0, ops.facts & SRCUTORTURE_UNLOCK_ELSEWHERE,
                            "no sections closed elsewhere: the flavour does not allow them")
                      ? static_cast<unsigned>(params.n_up_down)
                      : 0;
  roles.domains = leave_out(params.n_domains > 0, ops.destroy && !ops.thread_register,
                            "no further domains: the flavour has one for ever, or registers threads")
                      ? static_cast<unsigned>(params.n_domains)
                      : 0;
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
  add("down", up_down ? 1 : 0);
  add("up", up_down ? 1 : 0);
  add("domains", domains ? 1 : 0);
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
    Interrupt* interrupt =
        roles.signals ? add_interrupt(injector, fmt::format("reader {}", i), roles.signal_posts) : nullptr;
    readers_.push_back(std::make_unique<Reader>(world, *task, interrupt, i));
  }
  if (roles.read_exit) {
    read_exit_ = std::make_unique<ReadExit>(world, *add_visitor(Level::kTask, "read-exit thread"),
                                            static_cast<unsigned>(params.read_exit_burst),
                                            static_cast<uint64_t>(params.read_exit_delay));
  }
  for (unsigned i = 0; i < roles.updaters; ++i) {
    // Where handlers may post, they interrupt the update side too.
    Interrupt* interrupt = roles.signal_posts ? add_interrupt(injector, fmt::format("updater {}", i), true) : nullptr;
    updaters_.push_back(std::make_unique<Updater>(world, *stations_[i], kinds_, interrupt, i));
    faults_.emplace_back(fmt::format("updater {}", i), &updaters_.back()->faults());
  }
  for (unsigned i = 0; i < roles.fakewriters; ++i) {
    fakewriters_.push_back(std::make_unique<Fakewriter>(world, kinds_, i));
  }
  if (roles.barrier) {
    barrier_ = std::make_unique<BarrierTorture>(world, roles.posters);
    faults_.emplace_back("barrier thread", &barrier_->faults());
  }
  if (roles.up_down > 0) {
    Visitor* down = add_visitor(Level::kTask, "down thread");
    Visitor* up = add_visitor(Level::kTask, "up thread");
    updown_ = std::make_unique<UpDown>(world, *down, *up, roles.up_down);
  }
  if (roles.domains > 0) {
    domains_ = std::make_unique<Domains>(world, roles.domains);
    faults_.emplace_back("domains thread", &domains_->faults());
  }
  if (roles.flood) {
    flood_ =
        std::make_unique<Flood>(world, Flood::Options{static_cast<uint64_t>(params.cbflood_max),
                                                      static_cast<uint64_t>(params.fwd_progress_holdoff),
                                                      world.ops.pending_bytes && params.garbage_bound > 0});
  }
}

Interrupt* Cast::add_interrupt(harness::SignalInjector* injector, const std::string& on, bool posts) {
  Visitor* visitor = add_visitor(Level::kSignal, "signal handler on " + on);
  if (posts) signal_posters_.push_back(std::make_unique<SignalPoster>(world_));
  SignalPoster* poster = posts ? signal_posters_.back().get() : nullptr;
  const auto index = static_cast<unsigned>(interrupts_.size());
  interrupts_.push_back(std::make_unique<Interrupt>(world_, *visitor, poster, *injector, index));
  return interrupts_.back().get();
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
  if (company_) company_->start(world_);  // first, for it may want to know of the others
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
  if (updown_) {
    add_thread("down", 0, seats, [this] { updown_->run_down(); });
    add_thread("up", 0, seats, [this] { updown_->run_up(); });
  }
  if (domains_) add_thread("domains", 0, seats, [this] { domains_->run(); });
}

bool Cast::all_ended() const {
  return ended_.load(std::memory_order_acquire) == threads_.size() && (!company_ || company_->all_ended());
}

void Cast::join() {
  for (auto& thread : threads_) thread->join();
  if (company_) company_->stop();
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
    sum.overlapping += visitor->overlapping();
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
    // Where there is nothing else to wait for, each element has waited for a grace period of its own.
    if (kinds_ == GraceKinds{GraceKind::kCall}) sum.gps += invoked;
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
  for (const auto& poster : signal_posters_) {
    sum.invoked += poster->invoked();
    sum.posted += poster->posted();
    sum.signal_posts += poster->posted();
    sum.signal_callbacks += poster->invoked();
  }
  if (company_) {
    sum.invoked += company_->invoked();
    sum.posted += company_->posted();
  }
  if (read_exit_) sum.read_exits = read_exit_->exits();
  if (updown_) sum.up_downs = updown_->sections();
  if (domains_) sum.domains = domains_->made();
  sum.gp_seq = world_.ops.gp_seq ? world_.ops.gp_seq(world_.domain) : sum.gps;
  return sum;
}

}  // namespace torture
