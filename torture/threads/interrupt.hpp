// What a signal handler on a torture thread does: reads, and posts.
#pragma once

#include <optional>

#include "harness/threads/signal_injector.hpp"
#include "torture/threads/signal_poster.hpp"

namespace torture {

/// On one thread. It interrupts it anywhere: inside a section, inside the scheme's own code, or parked, and then it does
/// nothing, since the sums and accounts of a parked torture stand still.
class Interrupt {
 public:
  /// `reads`: the handler's own visitor; `posts`: may be null. `index`: of the random stream.
  Interrupt(World& world, Visitor& reads, SignalPoster* posts, harness::SignalInjector& injector, unsigned index);

  /// While it lives, the calling thread, whose context is `ctx`, is interrupted.
  class Here {
   public:
    Here(Interrupt* interrupt, void* ctx);
    ~Here();
    Here(const Here&) = delete;
    Here& operator=(const Here&) = delete;

   private:
    Interrupt* interrupt_;
    std::optional<harness::SignalTarget> target_;
  };

 private:
  static void on_signal(void* interrupt);

  World& world_;
  Visitor& reads_;
  SignalPoster* posts_;
  harness::SignalInjector& injector_;
  unsigned index_;
};

}  // namespace torture
