// The torture's main loop: rotates phases, parks and settles accounts, gathers failures, takes samples.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "torture/threads/cast.hpp"
#include "torture/threads/events.hpp"
#include "torture/threads/inquiry.hpp"
#include "torture/threads/latency_watch.hpp"
#include "torture/threads/patience.hpp"
#include "torture/threads/reports.hpp"
#include "torture/threads/stall_watch.hpp"

namespace torture {

/// Why the conductor came to its end.
enum class Finish { kTimeUp, kAsked, kFailed, kStuck };

/// Runs on the child's main thread, which no scheme knows.
class Conductor {
 public:
  struct Hooks {
    std::function<void()> sample;      ///< every tick; decides itself whether an interval is over
    std::function<bool()> asked_stop;  ///< the supervisor wants an end
    std::function<void()> suspicious;  ///< something stands still: what the scheme says of itself is wanted
  };
  /// `stop_latency_ns`: a grace period that takes longer ends the torture; 0: none does.
  Conductor(World& world, Cast& cast, const Params& params, const std::vector<Phase>& phases,
            uint64_t stop_latency_ns, Events& events, Reports& reports, Hooks hooks);

  /// Opens the gate and conducts for `duration_ns`. kStuck: threads hang in the scheme and cannot be joined,
  /// or a grace period takes too long; they are to be looked at as they are.
  Finish run(uint64_t duration_ns);
  /// After run() unless it was stuck: ends all threads, settles the last accounts. False if they are stuck.
  bool wind_up();

 private:
  bool rest();
  bool rotate();
  bool settle(bool last);
  bool drained() const;
  std::string missing_words() const;
  void check_balance();
  void compare_sums();
  void check_garbage();
  bool check_company();
  bool check_stalls();
  bool check_latency();
  std::string who_holds_it_up(const Inquiry::Looks& looks, pid_t waiting, const std::function<bool()>& over);
  bool failed_enough() const;
  void to_phase(size_t index);
  uint64_t phase_end() const;
  void note_flood();

  World& world_;
  Cast& cast_;
  const Params& params_;
  Events& events_;
  Reports& reports_;
  Hooks hooks_;
  const std::vector<Phase>& phases_;
  size_t phase_ = 0;
  Patience patience_;
  StallWatch watch_;
  std::optional<LatencyWatch> latency_;
  Inquiry inquiry_;
  uint64_t suspected_ns_ = 0;
  uint64_t garbage_max_ = 0;
  uint64_t flood_noted_ns_ = 0;
  bool flood_noted_ = false;
};

}  // namespace torture
