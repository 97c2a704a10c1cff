// console.log: rcutorture's own lines, which its scripts read.
#pragma once

#include <filesystem>
#include <string>

#include "harness/record/files.hpp"
#include "torture/threads/cast.hpp"

namespace torture {

/// Lines carry rcutorture's words and only then "!!!", "FAILURE", "??? Writer stall" or "Badness" when
/// something is bad. The conductor's thread only.
class Console {
 public:
  Console(const std::filesystem::path& scenario_dir, const Ops& ops, const Params& params, const Roles& roles,
          double duration_s);

  /// Failures so far, as far as the statistics tell them apart.
  struct Errors {
    uint64_t all, memory, barrier;
  };

  void start(const Totals& totals);
  /// The statistics of one interval. `current`: an element that readers find now. False if no version was
  /// published since the last time: then it says VER, for scripts take a "ver:" that does not grow for a
  /// hang.
  bool statistics(const Totals& totals, const void* current, const Errors& errors);
  /// What an updater that no longer moves is doing; `state` and `cpu` are its thread's.
  void writer_stall(const char* doing, int code, const Totals& totals, char state, int cpu);
  void end(const Totals& totals, bool success);
  /// What the scheme says of itself, where it has print_state().
  void state(void* domain);
  /// A line of our own, such as what was left out.
  void note(const std::string& words);

 private:
  void banner(const std::string& tag);

  harness::Appender file_;
  const Ops& ops_;
  const Params& params_;
  const Roles& roles_;
  double duration_s_;
  uint64_t version_ = 0;  ///< The last that was told.
};

}  // namespace torture
