// --drop-order, as a user has it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/supervise/command.hpp"

namespace {

using nlohmann::json;

harness::Said engine(std::vector<std::string> words, const char* program = ENGINE_ORDERS) {
  words.insert(words.begin(), program);
  return harness::run_bounded(words, 240, 16 << 20);
}

harness::Said without(const std::string& label) {
  return engine({"run", "--executions", "2000", "--seed", "1", "--on-x86", "500", "--json", "--drop-order", label});
}

TEST(DropOrder, IsFoundWhereATestNeedsTheOrder) {
  EXPECT_EQ(engine({"run", "--executions", "2000", "--seed", "1"}).exit_code, 0);
  EXPECT_EQ(json::parse(without("publish").output)["tests"][0]["x86"]["verdict"], "SUCCESS") << "x86 keeps stores in order";
  EXPECT_EQ(without("publish").exit_code, 1);
  EXPECT_EQ(without("find").exit_code, 1);
  EXPECT_EQ(without("count").exit_code, 0) << "nothing depends on it";
}

TEST(DropOrder, IsInTheToken) {
  const json found = json::parse(without("find").output)["tests"][0];
  const std::string token = found["token"];
  EXPECT_TRUE(token.ends_with(":find")) << token;
  const harness::Said again = engine({"replay", token, "--json"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_EQ(json::parse(again.output)["hash"], found["hash"]);
  const harness::Said with_the_order = engine({"replay", token.substr(0, token.rfind(':'))});
  EXPECT_EQ(with_the_order.exit_code, 3) << "another execution than the token's";
  EXPECT_NE(with_the_order.output.find("nothing failed"), std::string::npos) << "with the order it is sound: " << with_the_order.output;
}

TEST(DropOrder, UnknownOnesAreRefusedWithTheNearest) {
  const harness::Said said = without("pubish");
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_NE(said.output.find("no order 'pubish'; did you mean publish?"), std::string::npos) << said.output;
  const harness::Said other = engine({"run", "--drop-order", "publish"}, ENGINE_OTHER);
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_NE(other.output.find("no labelled orders"), std::string::npos) << other.output;
}

}  // namespace
