// The memory that controlled threads see: C++20's, as views. Every atomic location keeps the history of its stores in an
// execution; a load may return any store that coherence and happens-before still let its thread see. Plain accesses are
// checked for races, freed and uninitialised memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace engine {

using ThreadId = unsigned;
inline constexpr ThreadId kMaxThreads = 64;  ///< In one execution, ended ones included.

using Value = unsigned __int128;  ///< Of any access: 1 to 16 bytes, the rest 0.

enum class Order : uint8_t { kRelaxed, kConsume, kAcquire, kRelease, kAcqRel, kSeqCst };  ///< Numbered as compilers do.

enum class Model : uint8_t {
  kCpp,  ///< C++20, but for the holes that README.md names.
  kTso,  ///< x86's memory: a store buffer a thread, and nothing weaker. Data races are still those of C++.
  kX86,  ///< The same without data races: what is wrong is what such a machine would show.
};

inline bool has_buffers(Model model) { return model != Model::kCpp; }

enum class Fault : uint8_t { kRace, kFreed, kUninitialised, kBadFree };

/// What was done, by whom, and where in the program.
struct Access {
  ThreadId thread;
  uintptr_t pc;
  uintptr_t address;
  uint32_t size;
  bool write, atomic, free;
};

/// What a memory needs from the execution that it serves.
class Execution {
 public:
  /// One of `count` possibilities, 2 to 255; 0 is the newest, which is what most machines would show.
  virtual unsigned choose(unsigned count) = 0;
  /// Something is wrong with `now`; `before` is the access that it clashes with, null if there is none. May not return.
  virtual void fault(Fault, const Access& now, const Access* before) = 0;

 protected:
  ~Execution() = default;
};

/// Not for threads: one thing happens at a time.
class Memory {
 public:
  Memory(Execution&, Model);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Forgets all. What memory holds now was written before anything began.
  void begin(Model);

  /// \name Threads: thread 0 is there from the beginning
  /// @{
  void start(ThreadId child, ThreadId parent);     ///< The child sees all that the parent did.
  void join(ThreadId waiter, ThreadId ended);      ///< And the other way.
  void acquire_from(ThreadId, const void* object);  ///< Synchronises with the last release_to() of `object`: locks, and their like.
  void release_to(ThreadId, const void* object);
  /// @}

  /// \name Atomic accesses. The program's own memory always holds the newest value.
  /// @{
  Value load(ThreadId, const void* address, unsigned size, Order, uintptr_t pc);
  void store(ThreadId, void* address, unsigned size, Value, Order, uintptr_t pc);
  /// Reads the newest value and stores change(it, argument); returns what was read.
  Value modify(ThreadId, void* address, unsigned size, Value (*change)(Value old, Value argument), Value argument, Order,
               uintptr_t pc);
  /// A compare-exchange. On failure `expected` becomes what was read, which need not be the newest.
  bool exchange_if(ThreadId, void* address, unsigned size, Value& expected, Value desired, Order success, Order failure,
                   uintptr_t pc);
  void fence(ThreadId, Order);
  /// Who gave it the value that all can see, of those who wrote the same again the first; kMaxThreads if it was no atomic access.
  ThreadId last_writer(const void* address) const;
  /// @}

  /// \name membarrier: every other thread has its own full fence somewhere between begin and end
  /// @{
  void membarrier_begin(ThreadId caller);
  void membarrier_at(ThreadId caller, ThreadId target);  ///< Now, in `target`; joined with the caller only.
  void membarrier_end(ThreadId caller);                  ///< Who had none yet has it now: ended threads.
  /// @}

  /// \name Plain accesses and objects
  /// @{
  void read(ThreadId, const void* address, size_t size, uintptr_t pc);  ///< Before the access.
  void write(ThreadId, const void* address, size_t size, uintptr_t pc);
  /// Counts as a write to the whole object, too.
  void allocated(ThreadId, const void* address, size_t size, bool zeroed, uintptr_t pc = 0);
  /// Counts as a write to the whole object, checked against atomic accesses, too. What it held must not be reused in this execution.
  void freed(ThreadId, const void* address, size_t size, uintptr_t pc);
  /// @}

  /// TSO: stores that `thread` made and others cannot see yet; flushing one is the scheduler's to choose.
  unsigned buffered(ThreadId) const;
  void flush_one(ThreadId);
  void locked_instruction(ThreadId);  ///< All of them at once: taking a lock is one, also when that fails.

 private:
  struct State;
  State* state_;
};

}  // namespace engine
