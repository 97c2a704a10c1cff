#include "torture/threads/console.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace torture {
namespace {

class ConsoleTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "consoleXXXXXX";
    dir_ = mkdtemp(name.data());
    ops_.name = "scheme";
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  /// The lines that contain `words`.
  std::vector<std::string> lines(const std::string& words) const {
    std::vector<std::string> found;
    for (const std::string& line : harness::whole_lines(dir_ / "console.log")) {
      if (line.find(words) != line.npos) found.push_back(line);
    }
    return found;
  }

  std::filesystem::path dir_;
  Ops ops_{};
  Params params_;
  Roles roles_{};
  const int element_ = 0;
};

TEST_F(ConsoleTest, VersionThatDoesNotGrowIsToldInCapitals) {
  Console console(dir_, ops_, params_, roles_, 1);
  bool grown[5];
  size_t i = 0;
  for (const uint64_t versions : {0, 7, 7, 8, 8}) {
    Totals totals;
    totals.versions = versions;
    grown[i++] = console.statistics(totals, &element_, {0, 0, 0});
  }
  EXPECT_EQ(std::vector(std::begin(grown), std::end(grown)), (std::vector{false, true, false, true, false}));
  ASSERT_EQ(lines("ver: ").size(), 2U);
  EXPECT_NE(lines("ver: ")[0].find("ver: 7 "), std::string::npos);
  EXPECT_NE(lines("ver: ")[1].find("ver: 8 "), std::string::npos);
  EXPECT_EQ(lines("VER: ").size(), 3U);
}

TEST_F(ConsoleTest, BadWordsStandThereOnlyWhenSomethingIsBad) {
  Console console(dir_, ops_, params_, roles_, 1);
  console.start({});
  console.statistics({}, &element_, {0, 0, 0});
  console.end({}, true);
  for (const char* bad : {"!!!", "???", "FAILURE", "Warn", "BUG"}) EXPECT_TRUE(lines(bad).empty()) << bad;
  EXPECT_EQ(lines("SUCCESS").size(), 1U);
  console.statistics({}, &element_, {3, 1, 2});
  console.writer_stall("GRACE_PERIOD", 1, {}, 'S', 0);
  console.end({}, false);
  EXPECT_EQ(lines("scheme-torture: !!! Reader Pipe:  ").size(), 1U);
  EXPECT_EQ(lines(" rtmbe: 1 ").size(), 1U);
  EXPECT_EQ(lines(" rtbe: 2 ").size(), 1U);
  EXPECT_EQ(lines("??? Writer stall state GRACE_PERIOD(1) g0 f0x0 ->state S cpu 0").size(), 1U);
  EXPECT_EQ(lines("FAILURE").size(), 1U);
}

TEST_F(ConsoleTest, TellsWhereTheElementsAre) {
  Console console(dir_, ops_, params_, roles_, 1);
  Totals totals;
  totals.left_stage = {9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 0};
  totals.starved = 11;
  console.statistics(totals, &element_, {0, 0, 0});
  EXPECT_EQ(lines("Free-Block Circulation:  9 8 7 6 5 4 3 2 1 1 0").size(), 1U);
  EXPECT_EQ(lines(" tfle: 0 rta: 9 rtaf: 11 rtf: 1 ").size(), 1U);
}

}  // namespace
}  // namespace torture
