// console.log: rcutorture's own lines, which its scripts read.
#pragma once

#include <filesystem>
#include <string>

#include "harness/record/files.hpp"
#include "torture/threads/cast.hpp"

namespace torture {

/// Lines carry rcutorture's words and only then "!!!", "FAILURE" or "Badness" when something is bad. The
/// conductor's thread only.
class Console {
 public:
  Console(const std::filesystem::path& scenario_dir, const Ops& ops, const Params& params,
          const Roles& roles);

  void start();
  /// The statistics of one interval. `errors`: failures so far.
  void statistics(const Totals& totals, uint64_t errors);
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
};

}  // namespace torture
