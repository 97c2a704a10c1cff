// Makes a failing execution short: fewest switches, then fewest values out of the ordinary, then fewest steps.
#pragma once

#include "harness/engine/recording.hpp"
#include "harness/engine/run.hpp"

namespace engine {

struct Shrunk {
  bool repeats = true;  ///< False: the same settings do not do the same again, so nothing can be said.
  Outcome outcome;
  Recording recording;
  unsigned tries = 0;
};

/// The result finds what the execution with `settings` found.
Shrunk shrink(Run&, const Test&, const Settings&, const Outcome& found);

}  // namespace engine
