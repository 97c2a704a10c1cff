// The reader thread.
#pragma once

#include "torture/threads/interrupt.hpp"

namespace torture {

/// Enters sections in a tight loop. `interrupt` may be null.
class Reader {
 public:
  Reader(World& world, Visitor& visitor, Interrupt* interrupt, unsigned index);

  /// The thread's body; returns when the world stops.
  void run();

  const Visitor& visitor() const { return visitor_; }

 private:
  World& world_;
  Visitor& visitor_;
  Interrupt* interrupt_;
  unsigned index_;
};

}  // namespace torture
