// Threads that post while locks are held. Where a lock is taken on natural paths, programs are attached to its tracepoint,
// and the callers see to it that these paths are walked; elsewhere they go themselves.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/random.hpp"
#include "harness/threads/named_thread.hpp"
#include "torture/kernel/context.hpp"
#include "torture/threads/world.hpp"

namespace torture::kernel {

/// Heads for one context, and what became of them. Lock-free; posts from any thread and handler.
class Account {
 public:
  Account(const Context& context, World& world) : context_(context), world_(world) {
    for (Head& head : heads_) head.account = this;
  }

  /// Posts a head that is free, if one is found soon and the torture is not parked. Any context.
  void post();
  const Context& context() const { return context_; }
  uint64_t posted() const { return posted_.load(std::memory_order_relaxed); }  // relaxed: a count
  /// acquire: pairs with the release in on_callback().
  uint64_t invoked() const { return invoked_.load(std::memory_order_acquire); }
  uint64_t doubled() const { return doubled_.load(std::memory_order_relaxed); }  // relaxed: a count

 private:
  struct Head {
    srcutorture_head head;  // first: the callback casts
    Account* account;
    std::atomic<HeadState> state{HeadState::kOurs};
  };
  static void on_callback(srcutorture_head* head);

  const Context& context_;
  World& world_;
  std::array<Head, 128> heads_;
  std::atomic<uint32_t> next_{0};
  alignas(64) std::atomic<uint64_t> posted_{0};
  alignas(64) std::atomic<uint64_t> invoked_{0};
  std::atomic<uint64_t> doubled_{0};
};

class LockedCallers {
 public:
  /// `other`: a domain of nobody else's, on the model.
  /// `onoff_ns`: how long a CPU stays as it is, online or offline; 0: all stay online.
  LockedCallers(World& world, srcu_struct& other, const std::vector<const Context*>& chosen, unsigned callers,
                uint64_t onoff_ns);

  /// Starts the threads.
  void start();
  bool all_ended() const { return ended_.load(std::memory_order_acquire) == threads_.size(); }  // pairs with run()'s release
  void stop();

  uint64_t onoffs() const { return onoffs_.load(std::memory_order_relaxed); }  // relaxed: a count
  /// How often a caller has come back from where it was.
  uint64_t steps(unsigned caller) const { return steps_[caller].load(std::memory_order_relaxed); }  // relaxed: a count

  const std::deque<Account>& accounts() const { return accounts_; }

 private:
  void run(unsigned index);
  void turn_cpus_off_and_on();
  void visit(Account& account, harness::Random& random);
  void stir(harness::Random& random);

  World& world_;
  srcu_struct& other_;
  const unsigned callers_;
  std::deque<Account> accounts_;
  std::vector<Account*> visited_;                    ///< Those that the callers go to themselves.
  std::vector<std::unique_ptr<Attached>> programs_;  ///< The others.
  std::deque<std::atomic<uint64_t>> steps_;          ///< By caller.
  const uint64_t onoff_ns_;
  std::atomic<unsigned> ended_{0};
  std::atomic<uint64_t> onoffs_{0};
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<harness::NamedThread> threads_;
};

}  // namespace torture::kernel
