// What differs from process to process and must not in controlled threads: who one is, where one runs, and what is random.
#include <sched.h>
#include <sys/random.h>
#include <unistd.h>

#include "harness/engine/env.hpp"
#include "harness/engine/fatal.hpp"
#include "harness/engine/plain.hpp"
#include "harness/engine/real.hpp"
#include "harness/engine/run.hpp"

namespace engine {
namespace {

constexpr pid_t kFirstTid = 1'000'000;

void fill(Run& run, void* bytes, size_t count, uintptr_t pc) {
  will_give(run, bytes, count, pc);
  for (size_t i = 0; i < count; ++i) static_cast<unsigned char*>(bytes)[i] = static_cast<unsigned char>(run.draw(256));
}

}  // namespace

namespace env {

uint32_t process_id() { return static_cast<uint32_t>(kFirstTid); }

uint32_t thread_id() { return static_cast<uint32_t>(gettid()); }

bool thread_is_gone(uint32_t id) {
  Inside in;
  if (!in) fatal("not in a controlled thread: ", "thread_is_gone");
  const ThreadId other = id - static_cast<uint32_t>(kFirstTid);
  in->point({Kind::kLook, Order::kAcquire, 0, 0, ENGINE_CALLER});
  const bool gone = other >= in->thread_count() || in->thread(other).state == Thread::State::kEnded;
  in->did(other, 0, gone);
  if (gone && other < in->thread_count()) in->memory().join(in->self(), other);
  return gone;
}

}  // namespace env
}  // namespace engine

using engine::Inside;
using engine::real;

extern "C" {

pid_t gettid() noexcept {
  Inside in;
  return in ? engine::kFirstTid + static_cast<pid_t>(in->self()) : real().gettid();
}

int sched_getcpu() noexcept { return engine::engaged ? static_cast<int>(engine::env::cpu()) : real().sched_getcpu(); }

int getcpu(unsigned* cpu, unsigned* node) noexcept {
  if (!engine::engaged) return real().getcpu(cpu, node);
  if (cpu) *cpu = engine::env::cpu();
  if (node) *node = 0;
  return 0;
}

ssize_t getrandom(void* bytes, size_t count, unsigned flags) {
  Inside in;
  if (!in) return real().getrandom(bytes, count, flags);
  engine::fill(*in, bytes, count, ENGINE_CALLER);
  return static_cast<ssize_t>(count);
}

int getentropy(void* bytes, size_t count) {
  Inside in;
  if (!in) return real().getentropy(bytes, count);
  engine::fill(*in, bytes, count, ENGINE_CALLER);
  return 0;
}
}
