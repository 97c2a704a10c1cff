// Grace periods and barriers of which nobody waits for an element: they disturb those that are checked.
#pragma once

#include "torture/threads/grace.hpp"
#include "torture/threads/world.hpp"

namespace torture {

class Fakewriter {
 public:
  Fakewriter(World& world, const GraceKinds& kinds, unsigned index);
  void run();
  const Grace& grace() const { return grace_; }

 private:
  World& world_;
  const GraceKinds& kinds_;
  harness::Random random_;
  Grace grace_;
};

}  // namespace torture
