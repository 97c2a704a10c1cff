#include "harness/supervise/progress_board.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "harness/base/errors.hpp"
#include "harness/supervise/child.hpp"

namespace harness {
namespace {

TEST(ProgressBoard, ParentSeesWhatTheChildWrote) {
  ProgressBoard board(4);
  EXPECT_TRUE(board.read().empty());
  Child child([&board] {
    ProgressBoard::Slot& reader = board.claim("reader/0");
    for (int i = 0; i < 41; ++i) reader.beat();
    board.claim(std::string(100, 'x')).rest();
    return 0;
  });
  ASSERT_TRUE(child.wait(60));
  const auto seen = board.read();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].name, "reader/0");
  EXPECT_EQ(seen[0].tid, child.pid());
  EXPECT_EQ(seen[0].beats, 42u) << "claiming counts as the first";
  EXPECT_TRUE(seen[0].expected);
  EXPECT_EQ(seen[1].name, std::string(63, 'x'));
  EXPECT_FALSE(seen[1].expected);
}

TEST(ProgressBoard, ChildSeesTheWishToStop) {
  ProgressBoard board(1);
  Child child([&board] {
    while (!board.stop_requested()) {
    }
    return 5;
  });
  EXPECT_FALSE(child.wait(0.05));
  board.request_stop();
  const auto ended = child.wait(60);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->exit_code, 5);
}

TEST(ProgressBoard, EveryThreadGetsItsOwnSlot) {
  constexpr unsigned kThreads = 16;
  ProgressBoard board(kThreads);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i)
    threads.emplace_back([&board, i] {
      ProgressBoard::Slot& slot = board.claim("thread/" + std::to_string(i));
      for (unsigned beat = 0; beat < 1000 + i; ++beat) slot.beat();
    });
  for (std::thread& thread : threads) thread.join();
  std::vector<uint64_t> beats(kThreads);
  for (const auto& reading : board.read()) beats.at(std::stoul(reading.name.substr(7))) = reading.beats;
  for (unsigned i = 0; i < kThreads; ++i) EXPECT_EQ(beats[i], 1001 + i);
}

TEST(ProgressBoard, RefusesMoreThreadsThanItHasRoomFor) {
  ProgressBoard board(1);
  board.claim("one");
  EXPECT_THROW(board.claim("two"), Broken);
  EXPECT_EQ(board.read().size(), 1u);
}

}  // namespace
}  // namespace harness
