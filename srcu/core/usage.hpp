// A domain's update side, and the memory that it stands in.
#pragma once

#include <atomic>
#include <cstdint>

#include "srcu/core/cblist.hpp"
#include "srcu/core/pile.hpp"
#include "srcu/core/threads.hpp"
#include "srcu/defer/strategy.hpp"
#include "srcu/host/host.hpp"
#include "srcu/platform/irq.hpp"
#include "srcu/platform/spinlock.hpp"
#include "srcu/defer.h"
#include "srcu/srcu.h"

namespace srcu {

/// How posts reach the list of callbacks where they could not be put on it at once. Some of it is one strategy's alone.
struct Staging {
  Pile<rcu_head> posts;
  IrqWork drain;  ///< Takes them over.
  IrqWork later;  ///< Has them taken over in a jiffy: for posts from inside a drain.
  Work turn;      ///< Takes them over, in the host's thread.

  /// \name tasks_trace_legacy's
  /// @{
  Spinlock lock{LockClass::kLazy};  ///< Guards the next.
  bool timer_armed = false;
  Work timer;
  IrqWork wake;  ///< Queues the turn.
  /// @}

  /// \name bpf_defer's: the domain as a node of the queue
  /// @{
  bpf_defer_node node;
  std::atomic<bool> node_queued{false};
  /// @}
};

/// Where posts go. One a domain.
struct Data {
  Spinlock lock{LockClass::kData};  ///< Guards the next five.
  CallbackList callbacks;
  uint64_t gp_seq_needed = kSeqFirst;  ///< The furthest grace period that a post here asked for.
  bool invoking = false;               ///< Somebody runs callbacks: one after the other, for srcu_barrier().
  std::atomic<uint64_t> waiting{0};    ///< callbacks.count(), for those without the lock.

  Staging staged;  ///< Posts that could not take the lock.
  Work invoke_work;
};

#ifdef SRCU_DEBUG
/// What is known of the sections that a thread must close itself, by the thread's number. An earlier owner's goes with
/// him. relaxed throughout: each thread's own, and its handlers'. Zeroed memory.
struct Held {
  uint64_t owner;
  int64_t open[2];  ///< By rank.
};
#endif

/// The driver's word: somebody drives grace periods; somebody else wanted to meanwhile.
inline constexpr uint32_t kDriven = 1, kAsked = 2;

/// A domain's strategy. One who posts while it is changed takes the old one or the new one, or parts of both, which go
/// together: all leave posts and works in the same places. relaxed throughout: what it points to is constant.
class StrategyWord {
 public:
  StrategyWord& operator=(const Strategy* strategy) { return now_.store(strategy, relaxed), *this; }
  operator const Strategy*() const { return now_.load(relaxed); }  // NOLINT: stands for it everywhere
  const Strategy* operator->() const { return *this; }

 private:
  std::atomic<const Strategy*> now_{&defer_irqoff};
};

struct Usage {
  srcu_struct* const domain;
  const bool fast;   ///< Its readers have no fence.
  const bool shown;  ///< Readers may go the fast way: there is membarrier(), or they do without.
  StrategyWord strategy;
  const Host* host = &native_host;

  Spinlock lock{LockClass::kUsage};  ///< Guards the next three; of them, the driver alone writes gp_seq.
  std::atomic<uint64_t> gp_seq{kSeqFirst};
  std::atomic<uint64_t> gp_seq_needed{kSeqFirst};      ///< The furthest grace period asked for.
  std::atomic<uint64_t> gp_seq_needed_exp{kSeqFirst};  ///< The same at expedited pace.
  /// The furthest that were wanted during a fork, by who could not wait for the lock; asked for when it is over.
  std::atomic<uint64_t> gp_seq_left{kSeqFirst}, gp_seq_left_exp{kSeqFirst};

  std::atomic<uint32_t> rank{0};  ///< The current one. The driver writes it.
  std::atomic<uint32_t> driver{0};
  /// \name The driver's own
  /// @{
  bool fenced = false;      ///< A of this grace period is done.
  bool drained[2] = {};     ///< By rank: no section of before A is open.
  uint64_t looks = 0;       ///< At readers, in this state, that found some.
  /// @}

  std::atomic<uint32_t> changed{0};  ///< Waiters sleep on it.
  Work gp_work;
  IrqWork gp_irq_work;
  Data data;

  std::atomic<bool> abandoned{false};        ///< Registered, but never published: no domain's.
  /// \name The registry's
  /// @{
  std::atomic<Usage*> next_domain{nullptr};
  Usage* last_domain = nullptr;  ///< The one before, once known; under the registry's lock.
  /// @}
  srcu_slot slots[kMaxThreads];              ///< Zeroed memory, touched by readers alone.
#ifdef SRCU_DEBUG
  std::atomic<int> readers_so_far{-1};  ///< A srcu_read_kind; -1: none.
  Held held[kMaxThreads];
#endif

  explicit Usage(srcu_struct* ssp);
};

/// The domain's update side, made if need be. Any context.
Usage& usage_of(srcu_struct* ssp);

// Readers: readers.cpp.

/// Opens a section in the calling thread's slot, or in the common one; returns the rank. Any context. Of the kind it
/// matters whether another thread may close.
uint32_t open_section(Usage& usage, int read_kind = SRCU_READ_NORMAL);
void close_section(Usage& usage, uint32_t rank, int read_kind = SRCU_READ_NORMAL);

/// A section while it lives: no grace period that begins now ends meanwhile.
class Section {
 public:
  explicit Section(Usage& usage) : usage_(usage), rank_(open_section(usage)) {}
  ~Section() { close_section(usage_, rank_); }
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

 private:
  Usage& usage_;
  const uint32_t rank_;
};

// Grace periods: gp.cpp.

/// Sends readers to the current rank, the fast ones too.
void show_rank(Usage& usage);
/// A cookie for a grace period that begins no earlier than now; fences before it looks. Any context.
uint64_t snapshot(const Usage& usage);
/// Whether that grace period has ended; then what readers did is visible. Any context.
bool done(const Usage& usage, uint64_t seq);
/// Asks for it. With `kick`, sees to it that somebody drives, and does not wait for a fork; without, the caller will.
void request(Usage& usage, uint64_t seq, bool expedited, bool kick);
/// Whether a grace period at expedited pace was asked for, and has not ended.
bool expedited(const Usage& usage);
/// Waits for it, driving itself if nobody does.
void wait_for(Usage& usage, uint64_t seq);
/// The host's turn: as much as can be done without sleeping, and another turn if more is to do.
void process_grace_periods(void* usage);
/// Sections opened less sections closed. Means something only while neither changes.
int64_t open_sections(const Usage& usage, uint32_t rank);
/// The same of those that another thread may close. No less than there are all the while.
int64_t open_updown_sections(const Usage& usage, uint32_t rank);

// Callbacks: callbacks.cpp.

/// Enqueues `head` and asks for its grace period; stages it while a fork is under way.
void enqueue(Usage& usage, rcu_head* head);
/// Leaves it where the next drain finds it. Any context, no lock.
void stage(Usage& usage, rcu_head* head);
/// Enqueues what was staged, and asks for its grace period. What is staged by this thread meanwhile, by what is traced in
/// here, say, is left for a turn in a jiffy: drained at once it might never end.
void drain_staged(void* usage);
/// True in drain_staged(), of any domain: two domains' drains might feed each other.
bool draining();
/// The host's turn: runs the callbacks that are ready.
void invoke_callbacks(void* usage);
/// True in a callback, of any domain, and in a function that was handed to bpf_defer().
bool in_callback();
/// As srcu_barrier().
void barrier(Usage& usage);
/// In a forked child, the data's lock held: those who waited in it are gone, and their stacks are other threads' soon.
void drop_barriers(Usage& usage);

// All domains: registry.cpp.

/// Any context.
void register_domain(Usage& usage);
void unregister_domain(Usage& usage);         ///< May sleep.
bool unregister_unless_frozen(Usage& usage);  ///< False, at once, while a fork is under way.

/// \name Around fork(). The registry's lock is held, so that nobody leaves.
/// @{
extern Spinlock registry_lock;
Usage* first_domain();
Usage* next_domain(const Usage& usage);
/// Whoever enters from now on sees that a fork is under way; false if somebody came since `first` did.
bool freeze_registry(Usage* first);
void thaw_registry();
/// @}

}  // namespace srcu
