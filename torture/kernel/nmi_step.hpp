// NMI-STEP: an NMI on top of every instruction of the paths that claim to bear one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "torture/kernel/nmi_state.hpp"

namespace torture {

/// kPostNolock: call_srcu_nolock() with interrupts off, where what defers does.
enum class NmiPath { kPost, kPostNolock, kRead, kDrain };

/// A path through a domain of one kind in one state.
struct NmiCase {
  NmiState state;
  NmiReaders readers;
  NmiPath path;
  std::string strategy;

  std::string name() const;  ///< "call_srcu/fast/scan1/defer_irqoff"
};

/// All of them, for the strategies that are given; beside them a domain's first use, with the default
/// strategy, which a fresh one has. Sections elsewhere are there once, as a path of their own.
std::vector<NmiCase> nmi_cases(const std::vector<std::string>& strategies);

/// What became of a case.
struct NmiOutcome {
  uint64_t places =
      0;              ///< Instructions that were interrupted: each in a fresh domain, by a thread of its own.
  std::string check;  ///< That failed first; empty if none did. Then the rest of the case is not tried.
  std::string message;  ///< Which instruction of which function, and its line.
};

/// Tries every instruction of each case, `at_once` cases at a time, each in a process of its own. On top of
/// each instruction: a section and a post (call_srcu_nolock()) in the same domain. Then all that was posted
/// must have run once, no section be open, and the domain bear its cleanup. `done` is told what became of a
/// case as soon as it is known. `go_on` is called several times a second; once it says no, the cases that
/// still run are dropped. Forks, so the caller has one thread. x86-64 only: Broken elsewhere.
void nmi_step(std::vector<NmiCase> cases, unsigned at_once, const std::function<bool()>& go_on,
              const std::function<void(const NmiCase&, const NmiOutcome&)>& done);

}  // namespace torture
