// Time, for controlled threads: virtual, and one for all clocks.
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "harness/engine/plain.hpp"
#include "harness/engine/real.hpp"
#include "harness/engine/run.hpp"

namespace engine {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

int sleep_for(Run& run, uint64_t ns, uintptr_t pc) {
  run.yield({Kind::kSleep, Order::kRelaxed, 0, 0, pc});
  if (run.fault(kInterrupted)) return EINTR;
  run.block(nullptr, "the clock", run.now_ns() + (ns == 0 ? 1 : ns));
  return 0;
}

uint64_t ns_of(const timespec* time) { return static_cast<uint64_t>(time->tv_sec) * kSecond + static_cast<uint64_t>(time->tv_nsec); }

}  // namespace
}  // namespace engine

using engine::Inside;
using engine::kSecond;
using engine::real;

extern "C" {

int nanosleep(const timespec* time, timespec* left) {
  Inside in;
  if (!in) return real().nanosleep(time, left);
  if (engine::sleep_for(*in, engine::ns_of(time), ENGINE_CALLER) == 0) return 0;
  if (left) {
    engine::will_give(*in, left, sizeof *left, ENGINE_CALLER);
    *left = {0, 1};
  }
  errno = EINTR;
  return -1;
}

int usleep(useconds_t us) {
  const timespec time{us / 1'000'000, static_cast<long>(us % 1'000'000) * 1000};
  Inside in;
  return in ? (engine::sleep_for(*in, engine::ns_of(&time), ENGINE_CALLER), 0) : real().nanosleep(&time, nullptr);
}

/// libc's asks its own nanosleep(), which nobody stands in for.
unsigned sleep(unsigned seconds) {
  Inside in;
  if (!in) return real().sleep(seconds);
  return engine::sleep_for(*in, seconds * kSecond, ENGINE_CALLER) == 0 ? 0 : 1;
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left) {
  Inside in;
  if (!in) return real().clock_nanosleep(clock, flags, time, left);
  const uint64_t ns = engine::ns_of(time), now = (flags & TIMER_ABSTIME) != 0 ? in->now_ns() : 0;
  return engine::sleep_for(*in, ns > now ? ns - now : 1, ENGINE_CALLER);
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  Inside in;
  if (!in) return real().clock_gettime(clock, time);
  const uint64_t now = in->look_at_clock(ENGINE_CALLER);
  engine::will_give(*in, time, sizeof *time, ENGINE_CALLER);
  *time = {static_cast<time_t>(now / kSecond), static_cast<long>(now % kSecond)};
  return 0;
}

int gettimeofday(timeval* time, void* zone) noexcept {
  Inside in;
  if (!in) return real().gettimeofday(time, zone);
  const uint64_t now = in->look_at_clock(ENGINE_CALLER);
  engine::will_give(*in, time, sizeof *time, ENGINE_CALLER);
  *time = {static_cast<time_t>(now / kSecond), static_cast<suseconds_t>(now % kSecond / 1000)};
  return 0;
}

time_t time(time_t* seconds) noexcept {
  Inside in;
  if (!in) return real().time(seconds);
  const auto now = static_cast<time_t>(in->look_at_clock(ENGINE_CALLER) / kSecond);
  if (seconds) {
    engine::will_give(*in, seconds, sizeof *seconds, ENGINE_CALLER);
    *seconds = now;
  }
  return now;
}
}
