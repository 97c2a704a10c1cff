// Small stories of locks, told in a line, and what the prover says of them.
//
//   +A -A   lock, unlock          rA RA   read, read recursively      ?A ?RA   by trylock        ~A   sync
//   A.2     another instance      A/1     subclass 1                  A@N      serialised by N
//   (i i)   interrupts off, on    (b b)   softirqs off, on
//   [h h]   hard interrupt        [t t]   the same as a thread        [s s]    softirq           [n n]   NMI
//
// A-H are raw spinlocks, K-N spinlocks, P-S mutexes, U V without a wait type, X is like an RCU reader. A
// story is told by one thread, as its parts could be by several.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "srcu/lockdep.h"

namespace srcu::test {

/// Collects reports while it lives, with the prover new and on.
class Proving {
 public:
  struct Seen {
    std::string check, headline, text;
  };

  Proving() {
    srcu_lockdep_reset();
    srcu_lockdep_set_hook(
        [](const srcu_lockdep_report* report, void* self) {
          char text[4096];
          srcu_lockdep_format(report, text, sizeof text);
          static_cast<Proving*>(self)->seen.push_back({report->check, report->headline, text});
        },
        this);
    srcu_lockdep_start();
  }
  ~Proving() {
    srcu_lockdep_stop();
    srcu_lockdep_set_hook(nullptr, nullptr);
  }
  Proving(const Proving&) = delete;
  Proving& operator=(const Proving&) = delete;

  std::vector<Seen> seen;
};

inline srcu_lockdep_class& class_named(char name) {
  static std::map<char, srcu_lockdep_class> classes;
  static const char names[] = "A\0B\0C\0D\0E\0F\0G\0H\0I\0J\0K\0L\0M\0N\0O\0P\0Q\0R\0S\0T\0U\0V\0W\0X\0";
  const srcu_lockdep_wait inner = name <= 'H'   ? SRCU_LOCKDEP_SPIN
                                  : name <= 'N' ? SRCU_LOCKDEP_CONFIG
                                  : name <= 'S' ? SRCU_LOCKDEP_SLEEP
                                  : name == 'X' ? SRCU_LOCKDEP_CONFIG
                                                : SRCU_LOCKDEP_UNCHECKED;
  const auto outer = static_cast<uint8_t>(name == 'X' ? SRCU_LOCKDEP_FREE : 0);
  const srcu_lockdep_class fresh = {names + 2 * (name - 'A'), static_cast<uint8_t>(inner), outer, {}};
  return classes.emplace(name, fresh).first->second;
}

inline const void* instance(char name, int number = 1) {
  static const char locks[32][8] = {};
  return &locks[name - 'A'][number];
}

/// Of "A.2/1@N".
struct NamedLock {
  explicit NamedLock(const std::string& text) : lock_class(&class_named(text[0])) {
    int number = 1;
    for (size_t i = 1; i + 1 < text.size(); i += 2) {
      if (text[i] == '.') number = text[i + 1] - '0';
      if (text[i] == '/') subclass = static_cast<unsigned>(text[i + 1] - '0');
      if (text[i] == '@') nest = instance(text[i + 1]);
    }
    lock = instance(text[0], number);
  }
  srcu_lockdep_class* lock_class;
  const void* lock = nullptr;
  const void* nest = nullptr;
  unsigned subclass = 0;
};

inline bool tell_context(const std::string& word) {
  static const std::map<std::string, int> contexts = {{"(i", SRCU_LOCKDEP_HARDIRQS_OFF_NOW},
                                                      {"i)", SRCU_LOCKDEP_HARDIRQS_ON_NOW},
                                                      {"(b", SRCU_LOCKDEP_SOFTIRQS_OFF_NOW},
                                                      {"b)", SRCU_LOCKDEP_SOFTIRQS_ON_NOW},
                                                      {"[h", SRCU_LOCKDEP_HARDIRQ_ENTER},
                                                      {"h]", SRCU_LOCKDEP_HARDIRQ_EXIT},
                                                      {"[t", SRCU_LOCKDEP_HARDIRQ_ENTER_THREADED},
                                                      {"t]", SRCU_LOCKDEP_HARDIRQ_EXIT_THREADED},
                                                      {"[s", SRCU_LOCKDEP_SOFTIRQ_ENTER},
                                                      {"s]", SRCU_LOCKDEP_SOFTIRQ_EXIT},
                                                      {"[n", SRCU_LOCKDEP_NMI_ENTER},
                                                      {"n]", SRCU_LOCKDEP_NMI_EXIT}};
  const auto found = contexts.find(word);
  if (found == contexts.end()) return false;
  srcu_lockdep_context(found->second);
  return true;
}

inline void tell_word(std::string word) {
  if (tell_context(word)) return;
  unsigned how = 0;
  if (word[0] == '-') return srcu_lockdep_release(NamedLock(word.substr(1)).lock);
  const bool sync = word[0] == '~';
  if (word[0] == '?') how |= SRCU_LOCKDEP_TRY;
  if (word[0] == '+' || word[0] == '?' || sync) word.erase(0, 1);
  // A class's letter follows, so that R is a kind of reading only in front of one.
  if (word[0] == 'r') how |= SRCU_LOCKDEP_READ;
  if (word[0] == 'R' && word.size() > 1 && isupper(word[1])) how |= SRCU_LOCKDEP_READ_RECURSIVE;
  if (how & ~unsigned{SRCU_LOCKDEP_TRY}) word.erase(0, 1);
  ASSERT_TRUE(isupper(word[0])) << word;
  const NamedLock named(word);
  if (sync)
    srcu_lockdep_sync_at(named.lock, named.lock_class, named.subclass, how, "story", 1);
  else
    srcu_lockdep_acquire_at(named.lock, named.lock_class, named.subclass, how, named.nest, "story", 1);
}

/// The first thing that the prover says: recursion cycle state inversion order wait nmi, or ok.
inline std::string verdict_on(const std::string& story) {
  const Proving proving;
  std::istringstream words(story);
  for (std::string word; words >> word;) tell_word(word);
  if (proving.seen.empty()) return "ok";
  const auto& first = proving.seen.front();
  if (first.check == "lock_recursion") return "recursion";
  if (first.check == "lock_cycle") return "cycle";
  if (first.check == "wait_context") return "wait";
  if (first.check == "nmi") return "nmi";
  if (first.headline == "inconsistent lock state") return "state";
  return first.headline == "possible irq lock inversion dependency detected" ? "inversion" : "order";
}

}  // namespace srcu::test
