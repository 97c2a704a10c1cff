// The reader thread, and the reader in a signal handler on top of it.
#pragma once

#include "harness/threads/signal_injector.hpp"
#include "torture/threads/world.hpp"

namespace torture {

/// Enters sections in a tight loop. With `in_signal`, the visitor of the handler on this thread, `injector`
/// interrupts it; both may be null.
class Reader {
 public:
  Reader(World& world, Visitor& visitor, Visitor* in_signal, harness::SignalInjector* injector,
         unsigned index);

  /// The thread's body; returns when the world stops.
  void run();

  const Visitor& visitor() const { return visitor_; }

 private:
  static void on_signal(void* reader);

  World& world_;
  Visitor& visitor_;
  Visitor* in_signal_;
  harness::SignalInjector* injector_;
  unsigned index_;
};

}  // namespace torture
