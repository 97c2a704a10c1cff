// Places in the model, and in SRCU's update side, where a "BPF program" may be attached: a function that runs in whatever
// context the place is in.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace torture::kernel {

/// What is attached. It does not run inside itself, nor inside another program: the kernel guards so, too.
struct Program {
  void (*run)(void* argument);
  void* argument;
  uint32_t one_in = 1;  ///< Runs this often, by chance.
};

class Tracepoint {
 public:
  constexpr explicit Tracepoint(const char* name) : name_(name) {}
  Tracepoint(const Tracepoint&) = delete;
  Tracepoint& operator=(const Tracepoint&) = delete;
  const char* name() const { return name_; }

  /// The execution has come to this place.
  void hit() {
    // relaxed, both: switches; the programs are looked for again
    if (attached_.load(std::memory_order_relaxed) != 0 || attached_here) [[unlikely]]
      run_programs();
  }

 private:
  friend class Attached;
  friend class AttachedHere;
  static constexpr unsigned kMost = 32;
  void run_programs();

  const char* const name_;
  std::atomic<uint32_t> attached_{0};
  std::atomic<const Program*> programs_[kMost]{};
  static thread_local constinit class AttachedHere* attached_here;
};

/// All there are.
const std::vector<Tracepoint*>& tracepoints();

/// In a sentence, where one of them stands and what is held there.
const char* where_it_stands(const Tracepoint& point);

/// Those whose name matches, with * and ? as in file names.
std::vector<Tracepoint*> tracepoints_like(const std::string& pattern);

/// A program is attached while this lives; who goes waits until it runs nowhere. 32 at most on one place.
class Attached {
 public:
  Attached(std::vector<Tracepoint*> points, Program program);
  ~Attached();
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  const std::vector<Tracepoint*> points_;
  const Program program_;
};

/// The same for one place, in the calling thread alone, one at a time.
class AttachedHere {
 public:
  AttachedHere(Tracepoint& point, Program program) : point_(point), program_(program) { Tracepoint::attached_here = this; }
  ~AttachedHere() { Tracepoint::attached_here = nullptr; }
  AttachedHere(const AttachedHere&) = delete;
  AttachedHere& operator=(const AttachedHere&) = delete;

 private:
  friend class Tracepoint;
  const Tracepoint& point_;
  const Program program_;
};

/// Programs that were left out because one was running already, in this process.
uint64_t programs_left_out();

}  // namespace torture::kernel
