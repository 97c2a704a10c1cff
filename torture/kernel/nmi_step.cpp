#include "torture/kernel/nmi_step.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <thread>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/supervise/child.hpp"
#include "harness/supervise/shared_pages.hpp"
#include "harness/supervise/symbols.hpp"
#include "harness/threads/stepper.hpp"
#include "srcu/platform/irq.hpp"
#include "torture/threads/params.hpp"

namespace torture {
namespace {

// Instructions. A path that waits for a lock goes round until the NMI comes; no other is as long as the
// second.
constexpr uint64_t kMostWaiting = 600, kMost = 20'000;
constexpr uint64_t kHangNs = 10'000'000'000;  // one try takes a few milliseconds
constexpr uint64_t kOpenNs = 1'000'000'000;   // other threads' sections, of a drain say, last microseconds
constexpr int kLost = 10, kTwice = 11, kOpen = 12, kDone = 13, kTooLong = 14;  // exit statuses of the child

/// Where a child stands, for its parent.
struct Board {
  std::atomic<uint64_t> at;        ///< The instruction that is being tried.
  std::atomic<uintptr_t> place;    ///< The same as an address, once it was reached.
  std::atomic<uint64_t> returned;  ///< How many paths have come to their end.
};

struct Head {
  rcu_head head;  // first: the callback casts
  std::atomic<unsigned> ran{0};

  using Call = decltype(call_srcu);
  void post(srcu_struct* ssp, Call* call) {
    call(ssp, &head, [](rcu_head* head) {
      // relaxed: srcu_barrier() orders it before the look
      reinterpret_cast<Head*>(head)->ran.fetch_add(1, std::memory_order_relaxed);
    });
  }
  /// As who does not know what is held: an NMI's.
  void post_in_nmi(srcu_struct* ssp) {
    srcu::nmi_enter();
    post(ssp, call_srcu_nolock);
    srcu::nmi_exit();
  }
};

/// One path, interrupted once.
struct Try {
  const NmiCase& one;
  PreparedDomain prepared;
  Head below{}, on_top{};

  explicit Try(const NmiCase& one) : one(one), prepared(one.state, one.readers, one.strategy) {}

  void path() {
    switch (one.path) {
      case NmiPath::kPost:
        return below.post(prepared.domain(), call_srcu);
      case NmiPath::kPostNolock:
        return below.post(prepared.domain(), call_srcu_nolock);
      case NmiPath::kRead:
        return one.readers.read(prepared.domain());
      case NmiPath::kDrain:
        return srcu::irq_on();
    }
  }
  void nmi() {
    srcu::nmi_enter();
    one.readers.read(prepared.domain());
    on_top.post(prepared.domain(), call_srcu_nolock);
    prepared.let_go();  // before the end, which runs what the NMI queued if it interrupted code with
                        // interrupts on
    srcu::nmi_exit();
  }
};

// The calling thread's only try. True if the path is longer.
bool interrupt_at(Try& one, Board& board) {
  const NmiPath path = one.one.path;
  if (path == NmiPath::kPostNolock || path == NmiPath::kDrain) srcu::irq_off();
  if (path == NmiPath::kDrain) one.below.post_in_nmi(one.prepared.domain());  // drained when they go on
  const uint64_t at = board.at.load(std::memory_order_relaxed);               // relaxed: our own
  const auto result =
      harness::Stepper::run([](void* one) { static_cast<Try*>(one)->path(); }, &one, at,
                            [](void* one) { static_cast<Try*>(one)->nmi(); }, &one, &board.place);
  board.returned.fetch_add(1, std::memory_order_relaxed);  // relaxed: the parent looks on
  return result.at != 0;
}

// Before the barrier, which a section that stays open would hold up for ever.
bool stays_open(srcu_struct* ssp) {
  for (const uint64_t since = harness::now_ns(); srcu_open_sections(ssp) != 0; harness::sleep_ns(100'000))
    if (harness::now_ns() - since > kOpenNs) return true;
  return false;
}

int judge(Try& one, bool interrupted) {
  one.prepared.leave();
  if (one.one.path == NmiPath::kPostNolock) srcu::irq_on();  // the drain takes the lock that the state may have held
  if (stays_open(one.prepared.domain())) return kOpen;
  srcu_barrier(one.prepared.domain());
  const unsigned below = one.one.path == NmiPath::kRead ? 0 : 1, on_top = interrupted ? 1 : 0;
  // relaxed: after the barrier
  const unsigned ran_below = one.below.ran.load(std::memory_order_relaxed);
  const unsigned ran_on_top = one.on_top.ran.load(std::memory_order_relaxed);
  if (ran_below < below || ran_on_top < on_top) return kLost;
  return ran_below > below || ran_on_top > on_top ? kTwice : 0;
}

bool waits_for_a_lock(const NmiCase& one) {
  return one.state == NmiState::kSdpContended || one.state == NmiState::kSupContended;
}

// The child: from one instruction on to the last, or to the first that fails.
int try_all(const NmiCase& one, Board& board) {
  srcu_start_helper();
  // relaxed: the parent looks on
  for (;; board.at.fetch_add(1, std::memory_order_relaxed)) {
    bool longer = false;
    std::thread([&] {
      Try fresh(one);
      longer = interrupt_at(fresh, board);
      const int status = judge(fresh, longer);
      if (status != 0) _exit(status);  // what is wrong with the domain may have its cleanup refused, or hang
    }).join();
    if (!longer) return kDone;
    const uint64_t at = board.at.load(std::memory_order_relaxed);
    if (waits_for_a_lock(one) && at >= kMostWaiting) return kDone;
    if (at >= kMost) return kTooLong;
  }
}

std::string where(pid_t pid, const Board& board) {
  const uint64_t at = board.at.load(std::memory_order_relaxed);
  const uintptr_t place = board.place.load(std::memory_order_relaxed);
  if (place == 0) return fmt::format("instruction {}", at);
  return fmt::format("instruction {}, in {}", at,
                     harness::name_addresses(pid, {{place, true}}, "addr2line", 10).at(0));
}

NmiOutcome failed(const char* check, const char* words, const NmiCase& one, pid_t pid, const Board& board) {
  return {board.at.load(std::memory_order_relaxed), check,
          fmt::format("{}: {} when the NMI comes before {}", one.name(), words, where(pid, board))};
}

NmiOutcome outcome(const harness::Ended& ended, const NmiCase& one, const Board& board) {
  const pid_t self = getpid();
  const auto fail = [&](const char* check, const char* words) {
    return failed(check, words, one, self, board);
  };
  if (!ended.exit_code) return fail("crash", ended.words().c_str());
  switch (*ended.exit_code) {
    case kDone:
      return {board.at.load(std::memory_order_relaxed), {}, {}};
    case kTooLong:
      throw harness::Broken(
          fmt::format("{}: the path is longer than {} instructions: raise the limit", one.name(), kMost));
    case kLost:
      return fail("lost_callback", "a callback did not run by the end of the barrier");
    case kTwice:
      return fail("double_callback", "a callback ran twice");
    case kOpen:
      return fail("counter_mismatch", "a section stays open");
    default:
      throw harness::Broken(fmt::format("{}: {}", one.name(), ended.words()));
  }
}

// A try that stands still: the path itself, or what should follow it.
NmiOutcome hung(const NmiCase& one, pid_t pid, const Board& board) {
  // relaxed: the child stands still
  const bool returned =
      board.returned.load(std::memory_order_relaxed) > board.at.load(std::memory_order_relaxed);
  return returned ? failed("stalled_gp", "the path returns, and no barrier after it", one, pid, board)
                  : failed("self_deadlock", "nothing goes on", one, pid, board);
}

class CaseInChild {
 public:
  explicit CaseInChild(const NmiCase& one) : one_(one) {}

  const NmiCase& what() const { return one_; }

  // Nothing if it goes on.
  std::optional<NmiOutcome> wait(double timeout_s) {
    if (const auto ended = child_.wait(timeout_s)) return outcome(*ended, one_, *board_);
    const uint64_t at = board_->at.load(std::memory_order_relaxed);  // relaxed: a look in passing
    if (at != seen_) {
      seen_ = at;
      since_ = harness::now_ns();
    }
    if (harness::now_ns() - since_ <= kHangNs) return {};
    NmiOutcome found = hung(one_, child_.pid(), *board_);
    child_.kill();
    return found;
  }

 private:
  static constexpr auto kUnmap = [](Board* board) { harness::unmap_shared(board, sizeof(Board)); };

  NmiCase one_;
  std::unique_ptr<Board, decltype(kUnmap)> board_{
      new (harness::map_shared(sizeof(Board), "the stepper's progress")) Board{}, kUnmap};
  harness::Child child_{[this] { return try_all(one_, *board_); }};
  uint64_t seen_ = 0, since_ = harness::now_ns();
};

const char* name_of(NmiPath path) {
  switch (path) {
    case NmiPath::kPost:
      return "call_srcu";
    case NmiPath::kPostNolock:
      return "call_srcu_nolock";
    case NmiPath::kRead:
      return "read";
    default:
      return "drain";
  }
}

}  // namespace

std::string NmiCase::name() const {
  const char* state_name = "";
  for (const auto& [each, its_name] : nmi_states())
    if (each == state) state_name = its_name;
  return fmt::format("{}/{}/{}/{}", name_of(path), readers.name, state_name, strategy);
}

std::vector<NmiCase> nmi_cases(const std::vector<std::string>& strategies) {
  constexpr NmiPath paths[] = {NmiPath::kPost, NmiPath::kPostNolock, NmiPath::kRead, NmiPath::kDrain};
  std::vector<NmiCase> cases;
  const auto add = [&](const std::string& strategy, NmiState state) {
    for (const NmiReaders& readers : nmi_readers())
      for (const NmiPath path : paths)
        if (path == NmiPath::kRead || !readers.alone) cases.push_back({state, readers, path, strategy});
  };
  add(Params{}.strategy, NmiState::kFirstUse);
  for (const std::string& strategy : strategies)
    for (const auto& [state, name] : nmi_states())
      if (state != NmiState::kFirstUse) add(strategy, state);
  return cases;
}

void nmi_step(std::vector<NmiCase> cases, unsigned at_once, const std::function<bool()>& go_on,
              const std::function<void(const NmiCase&, const NmiOutcome&)>& done) {
  if (const std::string why = harness::Stepper::why_not(); !why.empty()) throw harness::Broken(why);
  std::ranges::reverse(cases);
  std::list<CaseInChild> running;
  while (go_on() && !(cases.empty() && running.empty())) {
    for (; running.size() < at_once && !cases.empty(); cases.pop_back()) running.emplace_back(cases.back());
    const double share_s = 0.1 / static_cast<double>(running.size());
    std::erase_if(running, [&](CaseInChild& one) {
      const auto outcome = one.wait(share_s);
      if (outcome) done(one.what(), *outcome);
      return outcome.has_value();
    });
  }
}

}  // namespace torture
