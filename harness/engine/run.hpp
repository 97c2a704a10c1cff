// One execution of a test: its threads take turns, one step at a time, as the scheduler says.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "harness/base/random.hpp"
#include "harness/engine/fiber.hpp"
#include "harness/engine/memory.hpp"
#include "harness/engine/recording.hpp"
#include "harness/engine/settings.hpp"
#include "harness/engine/strategy.hpp"
#include "harness/engine/test.hpp"

namespace engine {

enum class Woken : uint8_t { kByAnother, kByTime, kForNoReason };

/// A controlled thread.
struct Thread {
  enum class State : uint8_t { kNone, kAble, kBlocked, kEnded };
  Fiber fiber;
  State state = State::kNone;
  Woken woken = Woken::kByAnother;
  bool may_be_early = false;        ///< While blocked: time may run out though others could run.
  const void* waits_for = nullptr;  ///< While blocked.
  const char* waits_how = "";
  enum class For : uint8_t { kOther, kSpinLock, kLock } waits = For::kOther;  ///< While blocked: a byte that is not 0, or a Lock, for as long as it takes.
  uint64_t until_ns = 0;            ///< While blocked; 0: no limit.
  uint32_t blocked_at = 0;          ///< While blocked: the execution's step.
  std::string name;
  void* (*body)(void*) = nullptr;
  void* argument = nullptr;
  void* result = nullptr;
  bool detached = false;            ///< Or joined: nobody has to ask for it any more.
  uintptr_t started_from = 0;
  unsigned cpu = 0;
  uint32_t steps = 0;
  uint32_t looks = 0;               ///< At the clock, since it last wrote anything.
  uintptr_t old_values_of = 0;      ///< Where it loaded last, from which it could choose.
  uint32_t old_values = 0;          ///< Loads in a row from there that did not take the newest.
  void (*handler)() = nullptr;
  uint32_t handler_at = 0;
  uint32_t progress_bound = 0, progress_steps = 0;
  uint32_t others_bound = 0, others_passed = 0;  ///< The same, by what others do.
  std::vector<std::pair<void (*)(void*), void*>> at_exit;
};

/// A mutex or read-write lock of the code under test.
struct Lock {
  ThreadId writer = kMaxThreads;  ///< Or owner; kMaxThreads: none.
  unsigned depth = 0;             ///< How often its owner took it again.
  unsigned readers = 0;
};

class Run final : public Execution {
 public:
  Run();
  ~Run();

  /// From the program's main thread.
  Outcome execute(const Test&, const Settings&);
  void record_to(Recording* recording) { recording_ = recording; }
  void follow(const Decisions* decisions) { followed_ = decisions; }

  /// \name For what stands in for the machine and the system: from a controlled thread, in the engine
  /// @{
  ThreadId self() const { return self_; }
  Thread& thread(ThreadId id) { return threads_[id]; }
  ThreadId thread_count() const { return thread_count_; }
  Memory& memory() { return memory_; }
  const Settings& settings() const { return settings_; }
  uint64_t now_ns() const { return now_ns_; }
  uint64_t look_at_clock(uintptr_t pc);  ///< As a step.
  uint64_t steps_ever() const { return steps_ever_; }

  void point(const Step&);                                   ///< Others may take steps before this one.
  void did(Value read, Value written, bool changed = true);  ///< How the step went.
  void yield(const Step&);                                   ///< As point(), and others are to be preferred.
  Woken block(const void* object, const char* how, uint64_t until_ns = 0);
  unsigned wake(const void* object, unsigned at_most);
  void wait_for_lock(const void* byte, uintptr_t pc);
  Woken wait_for_owner(const void* lock, const char* how, uint64_t until_ns, uintptr_t pc);  ///< Of a Lock that somebody holds.
  bool fault(FaultBits);                ///< Shall it go wrong here?
  unsigned draw(unsigned count) { return draw_for(self_, count); }  ///< One of `count`, 0 the usual.
  ThreadId start(void* (*body)(void*), void* argument, bool detached, uintptr_t pc);  ///< kMaxThreads: no more can be had.
  void join(ThreadId, uintptr_t pc);
  [[noreturn]] void end_thread();
  void membarrier(uintptr_t pc);
  void become_child(uintptr_t pc);      ///< See test.hpp.
  void set_handler(void (*handler)());
  bool lacks_membarrier();
  const char* test_name() const { return test_->name; }
  /// \name What is told of the execution
  /// @{
  void tell_from_here();
  void name_lock(const void* byte, std::string name);
  void name_thread(ThreadId, std::string name);
  /// @}
  /// On x86 by a locked instruction, also where the lock is not had.
  Lock& lock(const void* object) { return memory_.locked_instruction(self_), locks_[object]; }
  /// Whatever was there before. True if somebody held it.
  bool forget_lock(const void* object);
  [[noreturn]] void fail(Outcome::Kind, std::string what, uintptr_t where, uintptr_t before = 0);
  /// @}

  unsigned choose(unsigned count) override;
  void fault(Fault, const Access& now, const Access* before) override;

 private:
  static Run* started_;  ///< Whose threads begin; set before they do.
  static void first_steps();
  void run_test();
  void begin(const Test&, const Settings&);
  void leave();               ///< Whoever is next; returns when this thread is.
  Agent next_agent();
  void gather_able();
  bool past_its_time(const Thread&) const;
  void gave_way(Agent);
  void wake_by_clock(Thread&);
  void act(Agent);            ///< What needs no thread to do it.
  ThreadId fenced(ThreadId target);  ///< By whose call.
  unsigned draw_for(ThreadId, unsigned count);  ///< Recorded with that thread's choices.
  void to(ThreadId);
  void count_step(ThreadId);
  void maybe_handle();
  void note(Agent, const Step&);
  void note_callers(uintptr_t pc);
  ThreadId holder_of(const Thread& waiter) const;
  void look_for_ring(uintptr_t pc);
  std::string words_for(ThreadId) const;
  std::string words_for(const void* byte) const;
  void mix(uint64_t value) { outcome_.hash = (outcome_.hash ^ value) * 0x9e3779b97f4a7c15u, outcome_.hash ^= outcome_.hash >> 29; }
  [[noreturn]] void finish();

  Memory memory_;
  std::array<Thread, kMaxThreads> threads_;
  std::array<Step, kAgents> next_{};
  std::array<uint64_t, kMaxThreads> fences_due_{};  ///< For each target, the callers of membarrier, a bit each.
  std::array<unsigned, kMaxThreads> fences_awaited_{};
  std::array<std::unique_ptr<Scheduler>, 3> schedulers_;
  std::unique_ptr<Scheduler> follower_;
  std::vector<Agent> able_;
  std::unordered_map<const void*, Lock> locks_;  ///< Never walked through: its order is chance.
  std::map<uintptr_t, std::string> spin_locks_;  ///< Those that were named.
  Fiber host_;
  Scheduler* scheduler_ = nullptr;
  const Test* test_ = nullptr;
  const Decisions* followed_ = nullptr;
  Recording* recording_ = nullptr;
  std::array<size_t, kMaxThreads> followed_choices_{}, followed_handlers_{};
  Settings settings_;
  Outcome outcome_;
  harness::Random chance_{0, "", 0};
  ThreadId self_ = 0, thread_count_ = 0;
  Agent last_ = 0;
  uint32_t in_a_row_ = 0;
  enum class Kernel : uint8_t { kUnasked, kHas, kLacks } membarrier_ = Kernel::kUnasked;
  uint64_t now_ns_ = 0, steps_ever_ = 0;
  uint64_t gave_way_ = 0, gave_way_twice_ = 0;  ///< Threads, a bit each, since time leapt.
};

/// A controlled thread's pthread_t: its number, from where no address is.
inline constexpr unsigned long kFirstHandle = 0x7e000000;
inline ThreadId number_of(unsigned long handle) { return static_cast<ThreadId>(handle - kFirstHandle); }

/// The run whose code under test is on now; null in the engine itself and outside of executions. The only variable of the engine
/// that changes during one: the others are not in the program's own data, which is put back after each.
extern Run* engaged;

/// In the engine, if it was a controlled thread that called; hooks do then not see what the engine does.
class Inside {
 public:
  Inside() : run_(engaged) { engaged = nullptr; }
  ~Inside() { engaged = run_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  explicit operator bool() const { return run_ != nullptr; }
  Run* operator->() const { return run_; }
  Run& operator*() const { return *run_; }

 private:
  Run* run_;
};

}  // namespace engine

#define ENGINE_CALLER reinterpret_cast<uintptr_t>(__builtin_return_address(0))
