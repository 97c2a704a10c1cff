#include "harness/engine/token.hpp"

#include <gtest/gtest.h>

#include "harness/base/errors.hpp"

namespace engine {
namespace {

Token some() {
  Token token{build_id(), "a_test", {}, 0xabcdef0123456789};
  token.settings = {Model::kTso, Strategy::kPct, 5, 1234, 60, 7, 0x2a, 999, 3, 0xfeedfacecafebeef};
  return token;
}

std::string refusal(const std::string& text) {
  try {
    from_text(text);
  } catch (const harness::UsageError& error) {
    return error.what();
  }
  return "taken";
}

TEST(Token, HoldsAllSettings) {
  const Token back = from_text(to_text(some()));
  EXPECT_EQ(to_text(back), to_text(some()));
  EXPECT_EQ(back.test, "a_test");
  EXPECT_EQ(back.hash, 0xabcdef0123456789u);
  EXPECT_EQ(back.settings.model, Model::kTso);
  EXPECT_EQ(back.settings.strategy, Strategy::kPct);
  EXPECT_EQ(back.settings.depth, 5u);
  EXPECT_EQ(back.settings.steps_expected, 1234u);
  EXPECT_EQ(back.settings.stale_percent, 60u);
  EXPECT_EQ(back.settings.stale_in_a_row, 7u);
  EXPECT_EQ(back.settings.faults, 0x2au);
  EXPECT_EQ(back.settings.step_limit, 999u);
  EXPECT_EQ(back.settings.handler_at, 3u);
  EXPECT_EQ(back.settings.seed, 0xfeedfacecafebeefu);
}

TEST(Token, OfAnotherBuildOrVersionIsRefusedWithTheReason) {
  Token other = some();
  other.build = "0123456789abcdef";
  EXPECT_NE(refusal(to_text(other)).find("is of build 0123456789abcdef"), std::string::npos);
  std::string version = to_text(some());
  version[1] = '9';
  EXPECT_NE(refusal(version).find("version is e9"), std::string::npos);
  EXPECT_NE(refusal("e1:001ff43de821b076:publish:cpp:pct:3:200:70:8:67:50000:0:c34d0bff90150280").find("version is e1"), std::string::npos);
}

TEST(Token, NumbersThatNoExecutionCanHaveAreRefused) {
  const auto with = [](auto change) {
    Token token = some();
    change(token.settings);
    return refusal(to_text(token));
  };
  EXPECT_NE(with([](Settings& it) { it.depth = 0; }).find("not within 1 and 17"), std::string::npos);
  EXPECT_NE(with([](Settings& it) { it.depth = 18; }), "taken");
  EXPECT_EQ(with([](Settings& it) { it.depth = 17; }), "taken");
  EXPECT_NE(with([](Settings& it) { it.steps_expected = 0; }), "taken");
  EXPECT_NE(with([](Settings& it) { it.stale_percent = 101; }), "taken");
  EXPECT_NE(with([](Settings& it) { it.step_limit = 0; }), "taken");
}

TEST(Token, NonsenseIsRefused) {
  EXPECT_NE(refusal(""), "taken");
  EXPECT_NE(refusal("e2:a:b"), "taken");
  EXPECT_NE(refusal(to_text(some()).substr(0, 60)).find("is it whole?"), std::string::npos);
  std::string cut = to_text(some());
  cut.back() = 'x';
  EXPECT_NE(refusal(cut), "taken");
}

}  // namespace
}  // namespace engine
