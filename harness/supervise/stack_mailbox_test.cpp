#include "harness/supervise/stack_mailbox.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "harness/supervise/hung_process.hpp"

namespace harness {
namespace {

TEST(StackMailbox, AProcessThatHasNotInstalledTheHandlerIsNotKilledByTheQuestion) {
  StackMailbox mailbox;
  Child child([]() -> int {
    stuck_in_the_mud();
    return 0;
  });
  EXPECT_TRUE(mailbox.ask(child.pid(), 0.1).empty());
  EXPECT_FALSE(child.wait(0.1));
}

TEST(StackMailbox, MoreThreadsThanRoom) {
  ProgressBoard board(2);
  StackMailbox mailbox(1);
  Child child(
      [&board]() -> int {
        std::thread([&board] {
          board.claim("one");
          stuck_in_the_mud();
        }).detach();
        board.claim("two");
        stuck_in_the_mud();
        return 0;
      },
      &mailbox);
  while (board.read().size() < 2) sleep_ns(1'000'000);
  for (int round = 0; round < 3; ++round) EXPECT_EQ(mailbox.ask(child.pid(), kAnswerS).size(), 1u);
}

}  // namespace
}  // namespace harness
