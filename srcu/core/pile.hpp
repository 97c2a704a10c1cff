// A lockless list that anybody may put on, and one takes whole.
#pragma once

#include <atomic>
#include <utility>

#include "srcu/platform/atomic.hpp"

namespace srcu {

/// Turns a list round. One that leads back into itself, because a node was put on it `twice`, is cut there: each node is in
/// the result once. Null if none was.
template <class Node>
Node* oldest_first(Node* newest, Node*& twice) {
  const auto turned = [](Node* from, unsigned& steps) {
    Node* list = nullptr;
    for (; from; ++steps) {
      Node* const next = std::exchange(from->next, list);
      list = from;
      from = next;
    }
    return list;
  };
  unsigned steps = 0, again = 0;
  Node* const list = turned(newest, steps);
  // Turning walks a loop once and the way to it twice, so it ends where it began, with the list as it was but for the
  // direction of the loop.
  twice = nullptr;
  if (list != newest || steps <= 1) return list;
  Node *slow = list, *fast = list;
  do {
    slow = slow->next;
    fast = fast->next->next;
  } while (slow != fast);
  for (slow = list; slow != fast; slow = slow->next) fast = fast->next;  // where the loop begins
  twice = slow;
  while (fast->next != slow) fast = fast->next;
  fast->next = nullptr;
  return turned(list, again);
}

/// Of nodes with a member `next`, which are its own while they are on it.
template <class Node>
class Pile {
 public:
  /// True if nothing was on it. Any context, no lock.
  bool push(Node* node) {
    Node* first = newest_.load(relaxed);  // relaxed: the exchange confirms it
    do {
      node->next = first;
      // ORD(K1): pairs with K2.
    } while (!newest_.compare_exchange_weak(first, node, release(Ord::K1), relaxed));
    return !first;
  }

  /// Takes all, as a list, oldest first; each once, also the one that was put on `twice`, if one was. Any context.
  Node* take(Node*& twice) {
    // ORD(K2): pairs with K1: the nodes' contents.
    return oldest_first(newest_.exchange(nullptr, acquire(Ord::K2)), twice);
  }

  bool empty() const { return !newest_.load(relaxed); }  // relaxed: a look in passing

 private:
  std::atomic<Node*> newest_{nullptr};
};

}  // namespace srcu
