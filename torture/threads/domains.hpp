// Domains that come and go, several at a time, beside the one that is tortured.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "harness/base/random.hpp"
#include "torture/threads/world.hpp"

namespace torture {

/// One thread that makes domains, reads in them one inside another, posts, waits for grace periods of one while it is
/// inside another, and ends them. A domain's grace periods must not wait for another domain's readers: where they do,
/// this thread waits for itself, and the stall watch sees it stand still.
class Domains {
 public:
  Domains(World& world, unsigned most);
  void run();

  uint64_t made() const { return peek(made_); }
  /// Grows while it gets on: for the stall watch.
  uint64_t steps() const { return peek(steps_); }
  const Faults& faults() const { return faults_; }
  /// True between the first and the last use of a domain: for the stall watch. relaxed: a hint
  bool busy() const { return busy_.load(std::memory_order_relaxed); }

 private:
  struct One {
    void* domain;
    uint64_t posted = 0;
    std::atomic<uint64_t> invoked{0};
  };
  struct Post {
    srcutorture_head head;  // first: the callback casts
    One* one;
  };
  static void on_callback(srcutorture_head* head);
  void use(std::vector<One>& all);
  void end(One& one);

  World& world_;
  unsigned most_;
  harness::Random random_;
  std::atomic<uint64_t> made_{0}, steps_{0};
  std::atomic<bool> busy_{false};
  Faults faults_;
};

}  // namespace torture
