#include "harness/engine/env.hpp"

#include "harness/engine/crash.hpp"
#include "harness/engine/fatal.hpp"
#include "harness/engine/refuse.hpp"
#include "harness/engine/renew.hpp"
#include "harness/engine/run.hpp"

namespace engine::env {
namespace {

constexpr unsigned kCpus = 4;
constexpr size_t kPage = 4096;

/// Code under test must not come here natively: it would wait for nobody.
void controlled(const Inside& in, const char* call) {
  if (!in) fatal("not in a controlled thread: ", call);
}

uintptr_t address_of(const void* object) { return reinterpret_cast<uintptr_t>(object); }

/// Linux has a full barrier between the caller's stores and its look at who waits, or at the word: a store buffer is empty by then.
void drain(const Inside& in) {
  while (in->memory().buffered(in->self()) != 0) in->memory().flush_one(in->self());
}

void* call_hook(void* hook) { return reinterpret_cast<void (*)()>(hook)(), nullptr; }

}  // namespace

void futex_wait(std::atomic<uint32_t>& word, uint32_t expected, uint64_t timeout_ns) {
  Inside in;
  controlled(in, "futex_wait");
  must_be_readable(&word, sizeof word, ENGINE_CALLER);
  in->point({Kind::kWait, Order::kRelaxed, sizeof word, address_of(&word), ENGINE_CALLER});
  drain(in);
  // To the checks the kernel's look is the thread's own. Only where a word can be freed: a load has effects of its own.
  if (in_arena(&word)) in->memory().load(in->self(), &word, sizeof word, Order::kRelaxed, ENGINE_CALLER);
  // The kernel reads the word itself, under a lock that wakers take, too: it sees the newest value.
  uint32_t now = 0;
  __builtin_memcpy(&now, &word, sizeof now);
  const bool sleeps = now == expected && !in->fault(kInterrupted) && !in->fault(kSpuriousWake);
  in->did(now, expected, sleeps);
  if (!sleeps) return;
  in->block(&word, "a futex", timeout_ns == 0 ? 0 : in->now_ns() + timeout_ns);
}

void futex_wake(std::atomic<uint32_t>& word) {
  Inside in;
  controlled(in, "futex_wake");
  in->point({Kind::kWake, Order::kRelaxed, sizeof word, address_of(&word), ENGINE_CALLER});
  drain(in);
  in->did(0, in->wake(&word, kMaxThreads));
}

void wait_for_lock(const void* byte) {
  Inside in;
  controlled(in, "wait_for_lock");
  must_be_readable(byte, 1, ENGINE_CALLER);
  in->wait_for_lock(byte, ENGINE_CALLER);
}

bool membarrier_register() {
  Inside in;
  controlled(in, "membarrier_register");
  in->point({Kind::kFence, Order::kRelaxed, 0, 0, ENGINE_CALLER});
  return !in->lacks_membarrier();
}

void membarrier() {
  Inside in;
  controlled(in, "membarrier");
  in->membarrier(ENGINE_CALLER);
}

uint64_t now_ns() {
  Inside in;
  controlled(in, "now_ns");
  return in->look_at_clock(ENGINE_CALLER);
}

void sleep_ns(uint64_t ns) {
  Inside in;
  controlled(in, "sleep_ns");
  in->yield({Kind::kSleep, Order::kRelaxed, 0, 0, ENGINE_CALLER});
  if (!in->fault(kInterrupted)) in->block(nullptr, "the clock", in->now_ns() + (ns == 0 ? 1 : ns));
}

void yield() {
  Inside in;
  controlled(in, "yield");
  in->yield({Kind::kYield, Order::kRelaxed, 0, 0, ENGINE_CALLER});
}

void cpu_relax() {
  if (Inside in; in) in->yield({Kind::kYield, Order::kRelaxed, 0, 0, ENGINE_CALLER});
}

unsigned cpu() {
  Inside in;
  controlled(in, "cpu");
  unsigned& mine = in->thread(in->self()).cpu;
  if (in->fault(kMigrations)) mine = (mine + 1 + in->draw(kCpus - 1)) % kCpus;
  return mine;
}

void* map(size_t bytes) {
  Inside in;
  controlled(in, "map");
  in->point({Kind::kAllocate, Order::kRelaxed, 0, 0, ENGINE_CALLER});
  void* const memory = in->fault(kNoMemory) ? nullptr : arena_allocate(bytes, kPage);
  in->did(0, address_of(memory));
  if (memory) in->memory().allocated(in->self(), memory, bytes, true, ENGINE_CALLER);
  return memory;
}

void unmap(void* memory, size_t bytes) {
  Inside in;
  controlled(in, "unmap");
  in->point({Kind::kFree, Order::kRelaxed, static_cast<uint32_t>(bytes), address_of(memory), ENGINE_CALLER});
  if (arena_size(memory) != bytes) in->fail(Outcome::Kind::kMisuse, "unmap of what map did not give", ENGINE_CALLER);
  in->memory().freed(in->self(), memory, bytes, ENGINE_CALLER);
  arena_free(memory);
}

bool start_thread(void (*body)(), const char*) {
  Inside in;
  controlled(in, "start_thread");
  if (in->fault(kNoMemory)) return false;
  if (in->start(call_hook, reinterpret_cast<void*>(body), true, ENGINE_CALLER) == kMaxThreads) refuse(*in, kTooManyThreads, "start_thread", ENGINE_CALLER);
  return true;
}

bool on_thread_exit(void (*hook)()) {
  Inside in;
  controlled(in, "on_thread_exit");
  auto& hooks = in->thread(in->self()).at_exit;
  hooks.insert(hooks.begin(), {[](void* it) { call_hook(it); }, reinterpret_cast<void*>(hook)});  // after thread_local destructors
  return true;
}

}  // namespace engine::env

/// What <srcu/env.h> declares for C is this, too, and the caller of each is who it is. Weak: a program may have that library under control,
/// with functions of its own.
#define ENGINE_FOR_C(name, mangled) asm(".weak srcu_env_" #name "\n.set srcu_env_" #name ", _ZN6engine3env" mangled);
ENGINE_FOR_C(futex_wait, "10futex_waitERSt6atomicIjEjm")
ENGINE_FOR_C(futex_wake, "10futex_wakeERSt6atomicIjE")
ENGINE_FOR_C(membarrier_register, "19membarrier_registerEv")
ENGINE_FOR_C(membarrier, "10membarrierEv")
ENGINE_FOR_C(now_ns, "6now_nsEv")
ENGINE_FOR_C(sleep_ns, "8sleep_nsEm")
ENGINE_FOR_C(yield, "5yieldEv")
ENGINE_FOR_C(cpu_relax, "9cpu_relaxEv")
ENGINE_FOR_C(map, "3mapEm")
ENGINE_FOR_C(unmap, "5unmapEPvm")
ENGINE_FOR_C(start_thread, "12start_threadEPFvvEPKc")
