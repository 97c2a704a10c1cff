#include "harness/threads/sched_jitter.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

#include "harness/base/clock.hpp"

namespace harness {
namespace {

constexpr uint64_t kStep = 10'000'000;

void measure(Pace& pace, Histogram& late, Random random, uint64_t step_ns) {
  prctl(PR_SET_TIMERSLACK, 1UL);  // else the kernel may add 50 us, to wake several at once
  for (uint64_t step = now_ns();; step += step_ns) {
    const uint64_t asked = step + random.below(step_ns);
    if (!pace.sleep_until(asked)) return;
    late.record(now_ns() - asked);
  }
}

}  // namespace

SchedJitter::SchedJitter(const std::vector<unsigned>& pus, uint64_t seed) {
  try {
    for (const unsigned pu : pus) add(pu, Random(seed, "jitter", pu), pus.size() * kStep);
    if (pus.empty()) add({}, Random(seed, "jitter", 0), kStep);
  } catch (...) {
    end();
    throw;
  }
}

void SchedJitter::add(std::optional<unsigned> pu, const Random& random, uint64_t step_ns) {
  Seat& seat = *seats_.emplace_back(std::make_unique<Seat>());
  threads_.emplace_back(fmt::format("jitter/{}", pu.value_or(0)), pu,
                        [&seat, random, step_ns] { measure(seat.pace, seat.late, random, step_ns); });
}

SchedJitter::~SchedJitter() { end(); }

void SchedJitter::end() {
  for (const auto& seat : seats_) seat->pace.stop();
}

Counts SchedJitter::snapshot() const {
  Counts sum{Layout(2)};
  for (const auto& seat : seats_) sum.add(seat->late.snapshot());
  return sum;
}

}  // namespace harness
