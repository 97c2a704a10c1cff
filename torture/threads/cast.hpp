// All the threads of one torture and what they count.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/threads/named_thread.hpp"
#include "harness/topology/placement.hpp"
#include "torture/threads/barrier_torture.hpp"
#include "torture/threads/company.hpp"
#include "torture/threads/domains.hpp"
#include "torture/threads/fakewriter.hpp"
#include "torture/threads/flood.hpp"
#include "torture/threads/params.hpp"
#include "torture/threads/read_exit.hpp"
#include "torture/threads/reader.hpp"
#include "torture/threads/updater.hpp"
#include "torture/threads/updown.hpp"

namespace torture {

/// Sums over all threads; cumulative.
struct Totals {
  /// gps: those that were waited for; where elements are only posted, their callbacks. overlapping: see Visitor.
  uint64_t gps = 0, reads = 0, overlapping = 0, versions = 0, posted = 0, invoked = 0, pending_bytes = 0;
  uint64_t barriers = 0, floods = 0, read_exits = 0, signal_reads = 0, signal_posts = 0, signal_callbacks = 0;
  uint64_t up_downs = 0, domains = 0;
  uint64_t starved = 0;  ///< How often an updater found no free element.
  bool starving = false;
  uint64_t gp_seq = 0;  ///< The scheme's own sequence; where it has none, the grace periods waited for.
  std::array<uint64_t, kPipeSlots> pipe{}, batch{}, left_stage{};
};

/// Threads by role: what the scenario asks for and the scheme can do.
struct Roles {
  unsigned readers, updaters, fakewriters, posters;
  bool signals, signal_posts, barrier, flood, read_exit;
  unsigned up_down, domains;
  std::vector<std::string> left_out;  ///< One sentence for each that was asked for and cannot be.

  static Roles of(const Ops& ops, const Params& params, unsigned cpus);
  /// For harness::place(): what is pinned.
  harness::Roles seats() const;
};

/// Grace-period kinds that the scenario asks for and the scheme offers.
GraceKinds grace_kinds(const Ops& ops, const Params& params);

/// Makes the objects in its constructor, the threads in start().
class Cast {
 public:
  /// Its accounts are this torture's, too. Must outlive the cast.
  void take_along(Company& company) { company_ = &company; }
  Company* company() const { return company_; }

  /// `injector`: may be null if no role needs signals.
  Cast(World& world, const Params& params, const Roles& roles, harness::SignalInjector* injector);

  /// Starts all threads, pinned to their seats. Broken if a bind is refused.
  void start(const std::vector<harness::Seat>& seats);
  /// After World::stop. True when all threads have ended their bodies; then join().
  bool all_ended() const;
  void join();

  Totals totals() const;
  /// Every place where a thread notes what it saw, with its name: "reader 0".
  const std::vector<std::pair<std::string, const Faults*>>& faults() const { return faults_; }

  const std::vector<std::unique_ptr<Station>>& stations() const { return stations_; }
  const std::vector<std::unique_ptr<Visitor>>& visitors() const { return visitors_; }
  /// "reader 0", "signal handler on reader 0": of the visitor at that place.
  const std::string& visitor_name(size_t i) const { return visitor_names_[i]; }
  /// Everybody who waits for grace periods.
  std::vector<Waiter> waiters() const;
  const std::vector<std::unique_ptr<Reader>>& readers() const { return readers_; }
  const std::vector<std::unique_ptr<Updater>>& updaters() const { return updaters_; }
  const BarrierTorture* barrier() const { return barrier_.get(); }
  const Flood* flood() const { return flood_.get(); }
  const ReadExit* read_exit() const { return read_exit_.get(); }
  const Domains* domains() const { return domains_.get(); }
  const std::vector<std::unique_ptr<SignalPoster>>& signal_posters() const { return signal_posters_; }
  const std::vector<std::unique_ptr<harness::NamedThread>>& threads() const { return threads_; }

 private:
  Visitor* add_visitor(Level level, const std::string& name);
  Interrupt* add_interrupt(harness::SignalInjector* injector, const std::string& on, bool posts);
  void add_thread(const std::string& role, unsigned index, const std::vector<harness::Seat>& seats,
                  std::function<void()> body);

  World& world_;
  Company* company_ = nullptr;
  const Roles roles_;
  GraceKinds kinds_;
  std::vector<std::unique_ptr<Station>> stations_;
  std::vector<std::unique_ptr<Visitor>> visitors_;
  std::vector<std::string> visitor_names_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<std::unique_ptr<Updater>> updaters_;
  std::vector<std::unique_ptr<Fakewriter>> fakewriters_;
  std::unique_ptr<BarrierTorture> barrier_;
  std::unique_ptr<Flood> flood_;
  std::unique_ptr<ReadExit> read_exit_;
  std::vector<std::unique_ptr<SignalPoster>> signal_posters_;
  std::vector<std::unique_ptr<Interrupt>> interrupts_;
  std::unique_ptr<UpDown> updown_;
  std::unique_ptr<Domains> domains_;
  std::vector<std::pair<std::string, const Faults*>> faults_;
  std::vector<std::unique_ptr<harness::NamedThread>> threads_;
  std::atomic<unsigned> ended_{0};
};

}  // namespace torture
