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
  uint32_t one_in = 1;             ///< Runs this often, by chance.
  bool only_this_thread = false;   ///< Runs in the thread that attached it alone.
};

class Tracepoint {
 public:
  constexpr explicit Tracepoint(const char* name) : name_(name) {}
  Tracepoint(const Tracepoint&) = delete;
  Tracepoint& operator=(const Tracepoint&) = delete;
  const char* name() const { return name_; }

 private:
  friend void hit(Tracepoint& point);
  friend void run_program(Tracepoint& point);
  friend class Attached;
  const char* const name_;
  std::atomic<const Program*> program_{nullptr};
};

void run_program(Tracepoint& point);
/// The execution has come to this place.
inline void hit(Tracepoint& point) {
  // relaxed: a switch; run_program() looks again
  if (point.program_.load(std::memory_order_relaxed)) [[unlikely]]
    run_program(point);
}

/// All there are.
const std::vector<Tracepoint*>& tracepoints();

/// Those whose name matches, with * and ? as in file names.
std::vector<Tracepoint*> tracepoints_like(const std::string& pattern);

/// A program is attached while this lives; who goes waits until it runs nowhere.
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

/// Programs that were left out because one was running already, in this process.
uint64_t programs_left_out();

}  // namespace torture::kernel
