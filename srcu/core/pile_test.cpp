#include "srcu/core/pile.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

namespace srcu {
namespace {

struct Node {
  Node* next;
  char name;
};

std::string names(Node* list) {
  std::string text;
  for (; list && text.size() < 100; list = list->next) text += list->name;
  return text;
}

struct Pushed {
  std::array<Node, 5> nodes{{{nullptr, 'a'}, {nullptr, 'b'}, {nullptr, 'c'}, {nullptr, 'd'}, {nullptr, 'e'}}};
  Pile<Node> pile;

  /// What comes off the pile, with a "!" if some was on it twice.
  std::string after(const std::string& order) {
    for (const char name : order) pile.push(&nodes[static_cast<size_t>(name - 'a')]);
    Node* twice = nullptr;
    const std::string text = names(pile.take(twice));
    return text + (twice ? "!" : "");
  }
};

TEST(Pile, GivesTheOldestFirst) {
  for (const char* order : {"", "a", "ab", "abc", "edcba"}) EXPECT_EQ(Pushed().after(order), order);
}

TEST(Pile, SaysWhetherItWasEmpty) {
  Pushed pushed;
  EXPECT_TRUE(pushed.pile.empty());
  EXPECT_TRUE(pushed.pile.push(&pushed.nodes[0]));
  EXPECT_FALSE(pushed.pile.empty());
  EXPECT_FALSE(pushed.pile.push(&pushed.nodes[1]));
  Node* twice = nullptr;
  EXPECT_EQ(names(pushed.pile.take(twice)), "ab");
  EXPECT_EQ(twice, nullptr);
  EXPECT_TRUE(pushed.pile.push(&pushed.nodes[2]));
}

// What was put on before the first time is lost sight of: its node's link was overwritten by the second.
TEST(Pile, CutsWhereANodeWasPutOnTwice) {
  for (const char* order : {"aa", "aaa", "aba", "baa", "abca", "abcab", "deabca", "abcdeb", "abcdee"}) {
    std::string found = Pushed().after(order);
    ASSERT_EQ(found.back(), '!') << order;
    found.pop_back();
    ASSERT_LE(found.size(), 5u) << order;
    for (const char name : found) EXPECT_EQ(found.find(name), found.rfind(name)) << order << " gave " << found;
    EXPECT_NE(found.find(order[std::string(order).size() - 1]), std::string::npos) << order << " gave " << found;
  }
}

TEST(Pile, LosesNothingOfSeveralThreads) {
  constexpr unsigned kThreads = 3, kEach = 20'000;
  std::vector<Node> nodes(kThreads * kEach);
  Pile<Node> pile;
  unsigned taken = 0;
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        for (unsigned i = 0; i < kEach; ++i) pile.push(&nodes[t * kEach + i]);
      });
    for (unsigned looks = 0; looks < 10'000; ++looks) {
      Node* twice = nullptr;
      for (Node* node = pile.take(twice); node; node = node->next) ++taken;
      EXPECT_EQ(twice, nullptr);
    }
  }
  Node* twice = nullptr;
  for (Node* node = pile.take(twice); node; node = node->next) ++taken;
  EXPECT_EQ(taken, nodes.size());
}

}  // namespace
}  // namespace srcu
