#include "harness/base/duration.hpp"

#include <gtest/gtest.h>

#include "harness/base/errors.hpp"

namespace harness {
namespace {

TEST(Duration, EveryUnit) {
  EXPECT_DOUBLE_EQ(parse_duration_s("90s"), 90);
  EXPECT_DOUBLE_EQ(parse_duration_s("15m"), 900);
  EXPECT_DOUBLE_EQ(parse_duration_s("8h"), 28800);
  EXPECT_DOUBLE_EQ(parse_duration_s("1d"), 86400);
  EXPECT_DOUBLE_EQ(parse_duration_s("50ms"), 0.05);
  EXPECT_DOUBLE_EQ(parse_duration_s("20us"), 2e-5);
}

TEST(Duration, BareNumberIsMinutes) { EXPECT_DOUBLE_EQ(parse_duration_s("2"), 120); }

TEST(Duration, RefusesWhatIsNone) {
  for (const char* bad : {"", "s", "-5s", "0", "10 s", "1w", "nan", "inf", "1e400h", "5sx"}) {
    EXPECT_THROW(parse_duration_s(bad), UsageError) << bad;
  }
}

TEST(Duration, TooLongNamesTheLongest) {
  EXPECT_DOUBLE_EQ(parse_duration_s("36500d"), 36500.0 * 86400);
  for (const char* bad : {"36501d", "999999999d", "1e99d", "1e308d", "1e99s", "1e99"}) {
    try {
      parse_duration_s(bad);
      FAIL() << bad;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("36500d"), std::string::npos) << error.what();
    }
  }
}

TEST(Duration, Words) {
  EXPECT_EQ(duration_words(90), "90 s");
  EXPECT_EQ(duration_words(900), "15 min");
  EXPECT_EQ(duration_words(28800), "8 h");
}

}  // namespace
}  // namespace harness
