// A handler at any instruction of the prover's own work. What it finds right there, in the midst of a change of
// the stack of held locks, must not be taken for right with another stack.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "harness/threads/stepper.hpp"
#include "srcu/lockdep/story.hpp"
#include "srcu/platform/spinlock.hpp"
#include "torture/kernel/lock.hpp"

namespace torture {
namespace {

struct Lock {
  char name;
  unsigned how;
};
using Stack = std::vector<Lock>;

srcu_lockdep_class& class_of(char name) {
  static srcu_lockdep_class classes[] = {
      SRCU_LOCKDEP_CLASS("A", SRCU_LOCKDEP_SPIN), SRCU_LOCKDEP_CLASS("B", SRCU_LOCKDEP_SPIN),
      SRCU_LOCKDEP_CLASS("C", SRCU_LOCKDEP_SPIN), SRCU_LOCKDEP_CLASS("D", SRCU_LOCKDEP_SPIN)};
  return classes[name - 'A'];
}
void take(const Lock& lock) { srcu_lockdep_acquire(&class_of(lock.name), &class_of(lock.name), lock.how); }
void drop(char name) { srcu_lockdep_release(&class_of(name)); }

constexpr unsigned kWait = SRCU_LOCKDEP_WRITE, kRead = SRCU_LOCKDEP_READ_RECURSIVE,
                   kTry = SRCU_LOCKDEP_WRITE | SRCU_LOCKDEP_TRY;

// Three times: seen, known, met again.
void take_c_thrice(void*) {
  for (int i = 0; i < 3; ++i) {
    take({'C', kWait});
    drop('C');
  }
}

/// A change of the stack.
struct Change {
  const char* name;
  Stack before;
  void (*change)(void*);
  std::string after;  ///< What is held then.
};
const Change changes[] = {
    {"read B under A", {{'A', kWait}}, [](void*) { take({'B', kRead}); }, "AB"},
    {"try B under A", {{'A', kWait}}, [](void*) { take({'B', kTry}); }, "AB"},
    {"drop B over A", {{'A', kWait}, {'B', kRead}}, [](void*) { drop('B'); }, "A"},
    {"drop A under B", {{'A', kWait}, {'B', kTry}}, [](void*) { drop('A'); }, "B"},
    {"drop A under D and B", {{'A', kWait}, {'D', kTry}, {'B', kTry}}, [](void*) { drop('A'); }, "DB"},
};

/// Meets the handler's work, perhaps.
const Stack stacks[] = {{{'A', kWait}},
                        {{'B', kRead}},
                        {{'B', kTry}},
                        {{'A', kWait}, {'B', kRead}},
                        {{'A', kWait}, {'B', kTry}},
                        {{'A', kWait}, {'D', kTry}},
                        {{'D', kTry}, {'B', kTry}},
                        {{'A', kWait}, {'D', kTry}, {'B', kTry}}};

void take_all(const Stack& stack) {
  for (const Lock& lock : stack) take(lock);
}
void drop_all(const Stack& stack) {
  for (size_t i = stack.size(); i-- > 0;) drop(stack[i].name);
}

std::set<std::string> orders() {
  std::set<std::string> seen;
  srcu_lockdep_for_each_edge(
      [](const srcu_lockdep_link* link, void* to) {
        static_cast<std::set<std::string>*>(to)->insert(std::string(link->from.lock_class->name) +
                                                        link->to.lock_class->name);
      },
      &seen);
  return seen;
}

// From the top down to the first that was waited for.
void expect_orders_to_c(const Stack& stack, const std::string& where) {
  const std::set<std::string> seen = orders();
  for (size_t i = stack.size(); i-- > 0;) {
    EXPECT_TRUE(seen.contains(std::string{stack[i].name, 'C'})) << stack[i].name << " -> C " << where;
    if (!(stack[i].how & SRCU_LOCKDEP_TRY)) return;
  }
}

// Its levels are used anew by what comes next.
void leave_a_hole_and_drop_it() {
  take_all({{'A', kWait}, {'D', kTry}, {'B', kTry}});
  for (const char name : {'D', 'B', 'A'}) drop(name);
}

// False once the change is over before instruction `at`.
bool interrupt(const Change& change, const Stack& met, uint64_t at) {
  const srcu::test::Proving proving;
  for (int i = 0; i < 3; ++i) {  // so that the change itself brings nothing new
    take_all(change.before);
    change.change(nullptr);
    for (const char name : change.after) drop(name);
  }
  leave_a_hole_and_drop_it();
  take_all(change.before);
  const auto result = harness::Stepper::run(change.change, nullptr, at, take_c_thrice, nullptr);
  for (size_t i = change.after.size(); i-- > 0;) drop(change.after[i]);
  for (int i = 0; i < 3; ++i) {
    take_all(met);
    take_c_thrice(nullptr);
    drop_all(met);
  }
  expect_orders_to_c(met, "is missing, after instruction " + std::to_string(at) + " of: " + change.name);
  EXPECT_TRUE(proving.seen.empty()) << proving.seen[0].text;
  EXPECT_EQ(srcu_lockdep_get_stats().unmatched, 0u);
  return result.at != 0;
}

TEST(Prover, KeepsApartWhatAHandlerFindsInTheMidstOfAChange) {
  if (const std::string why = harness::Stepper::why_not(); !why.empty()) GTEST_SKIP() << why;
  for (const Change& change : changes) {
    for (const Stack& met : stacks) {
      uint64_t at = 0;
      while (interrupt(change, met, at) && !HasFailure()) ++at;
      EXPECT_GT(at, 20u);
    }
  }
}

/// A lock that is counted while it is held, for those who ask before they post.
struct Counted {
  const char* name;
  void (*take_and_drop)(void*);
  bool (*counted)();
  const void* lock;
};
srcu::Spinlock own_lock{srcu::LockClass::kUsage};
kernel::Lock models_lock{kernel::rq_kind};
const Counted counted_locks[] = {
    {"SRCU's own",
     [](void*) {
       own_lock.acquire_lock();
       own_lock.drop();
     },
     srcu::holds_spinlock, &own_lock},
    {"the model's",
     [](void*) {
       models_lock.lock();
       models_lock.unlock();
     },
     kernel::holds_what_posting_takes, models_lock.key()},
};

// Or a handler that asks the count, and posts, is told of a lock that it takes twice.
TEST(Prover, HoldsNoLockThatTheCountOfHeldLocksDoesNotHave) {
  if (const std::string why = harness::Stepper::why_not(); !why.empty()) GTEST_SKIP() << why;
  struct Found {
    const Counted& lock;
    unsigned held = 0, uncounted = 0;
  };
  for (const Counted& lock : counted_locks) {
    const srcu::test::Proving proving;
    for (int i = 0; i < 3; ++i) lock.take_and_drop(nullptr);
    Found found{lock};
    uint64_t at = 0;
    while (harness::Stepper::run(lock.take_and_drop, nullptr, at,
                                 [](void* argument) {
                                   auto& seen = *static_cast<Found*>(argument);
                                   if (!srcu_lockdep_holds(seen.lock.lock)) return;
                                   ++seen.held;
                                   if (!seen.lock.counted()) ++seen.uncounted;
                                 },
                                 &found)
               .at != 0)
      ++at;
    EXPECT_EQ(found.uncounted, 0u) << lock.name << ", of " << found.held << " instructions that held it";
    EXPECT_GT(found.held, 10u);
    EXPECT_FALSE(lock.counted());
  }
}

}  // namespace
}  // namespace torture
