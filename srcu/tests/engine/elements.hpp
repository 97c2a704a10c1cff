// What readers read: plain data behind a pointer. The engine sees an access that is not ordered after the publication, or is
// not ordered before the end of the element's life.
#pragma once

#include "harness/engine/test.hpp"
#include "srcu/tests/engine/kinds.hpp"

namespace srcu::test {

struct Element {
  rcu_head head;  // first: callbacks cast
  int value;
};

inline constexpr int kElements = 3;
inline Element elements[kElements] = {{{}, 100}, {}, {}};
inline Element* current = &elements[0];

template <class Kind>
void read() {
  const auto token = Kind::lock();
  const Element* const element = srcu_dereference(current, Kind::domain());
  engine::check(element->value == 100 + static_cast<int>(element - elements), "an element is not as it was published");
  Kind::unlock(token);
}

template <class Kind>
void read_twice() {
  read<Kind>();
  read<Kind>();
}

inline void end_life(Element& element) { engine::retire(&element, sizeof element); }

/// Puts element `next` in the place of the one before; whose life may end after a grace period from now.
inline Element& replace(int next) {
  elements[next].value = 100 + next;
  rcu_assign_pointer(current, &elements[next]);
  return elements[next - 1];
}

}  // namespace srcu::test
