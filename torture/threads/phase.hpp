// The phases that a torture rotates through: each makes one class of bug likely.
#pragma once

#include <string>
#include <vector>

namespace torture {

/// What torture threads do while a phase lasts.
struct Phase {
  const char* name;
  bool stuffing;  ///< Readers fill their store buffer before the lock: missing fences.
  bool nesting;   ///< Readers nest and go hand over hand.
  bool relay;     ///< They do so without end, so that some reader is always inside: starvation.
  bool stays;     ///< Sections and the time between them last from nothing to microseconds, rarely more: races.
  bool delays;    ///< rcutorture's mix of delays in readers and updaters: the control.
  bool private_flags;  ///< Readers flag what they hold, updaters look at the flags after the grace period.
  bool stutter;        ///< All threads pause and go on together, again and again.
  unsigned readers;    ///< How many readers run; the others wait.
  unsigned updaters;   ///< Likewise.
  unsigned lasts;      ///< In phase lengths.
};

/// All of them: ordering, races, liveness, control.
const std::vector<Phase>& all_phases();

/// "ordering races" -> those two, in this order, for a machine of so many CPUs: where store buffers are
/// stuffed, the updater has a CPU of its own. UsageError for a name that is none, or for no name.
std::vector<Phase> parse_phases(const std::string& words, unsigned cpus);

}  // namespace torture
