#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "harness/base/random.hpp"
#include "harness/record/histogram.hpp"
#include "harness/threads/named_thread.hpp"
#include "harness/threads/pace.hpp"

namespace harness {

/// How late a thread wakes that asked to be woken at a given time, on each CPU: what the machine adds to
/// every latency, whoever is measured. One small pinned thread a CPU, at the priority of all others.
class SchedJitter {
 public:
  /// A thread, named "jitter/CPU", on each of `pus`. Its wake-ups lie at random, drawn from `seed`, one in
  /// each step of 10 ms times the number of CPUs: however large the machine, together they wake every 10 ms,
  /// which costs next to nothing. With no `pus`, one thread that is not pinned. Broken if one cannot be
  /// started or bound.
  SchedJitter(const std::vector<unsigned>& pus, uint64_t seed);

  /// Ends the threads.
  ~SchedJitter();

  SchedJitter(const SchedJitter&) = delete;
  SchedJitter& operator=(const SchedJitter&) = delete;

  /// Nanoseconds from the time asked for to the wake-up, of all CPUs. A thread that overslept several times
  /// counts each of them, so that a stretch without the CPU weighs by its length.
  Counts snapshot() const;

  const std::vector<NamedThread>& threads() const { return threads_; }

 private:
  struct Seat {
    Pace pace;
    Histogram late{2};
  };
  void add(std::optional<unsigned> pu, const Random& random, uint64_t step_ns);
  void end();

  std::vector<std::unique_ptr<Seat>> seats_;
  std::vector<NamedThread> threads_;
};

}  // namespace harness
