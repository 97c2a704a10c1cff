// Every shape against the memory model alone, in both models.
#include <gtest/gtest.h>

#include <cctype>

#include "harness/engine/litmus/direct.hpp"
#include "harness/engine/litmus/judge.hpp"

namespace engine::litmus {

void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name << ": " << shape.sentence; }

namespace {

struct DirectTest : testing::TestWithParam<std::tuple<Shape, Model>> {};

TEST_P(DirectTest, IsAsTheTableSays) {
  const auto& [shape, model] = GetParam();
  const Outcomes outcomes = direct::run(shape, model, 10'000, 1);
  for (const std::string& complaint : judge(shape, model, outcomes, Thoroughness::kSeenToo)) ADD_FAILURE() << complaint;
}

INSTANTIATE_TEST_SUITE_P(Shapes, DirectTest,
                         testing::Combine(testing::ValuesIn(direct::shapes()), testing::Values(Model::kCpp, Model::kTso)),
                         [](const auto& of) {
                           std::string name = std::get<0>(of.param).name;
                           for (char& c : name)
                             if (!isalnum(static_cast<unsigned char>(c))) c = '_';
                           return name + (std::get<1>(of.param) == Model::kTso ? "_tso" : "_cpp");
                         });

TEST(Judge, SaysWhatIsNotAsTheTableSays) {
  Shape shape{"S", "", {}, {"00 2.", "01", "13", "10", "55"}};
  const auto says = [&](const Outcomes& outcomes, Model model = Model::kCpp) {
    return judge(shape, model, outcomes, Thoroughness::kForbiddenOnly).size();
  };
  EXPECT_EQ(says({{"01", 5}, {"55", 1}}), 0u);
  EXPECT_EQ(says({{"00", 1}}), 1u);
  EXPECT_EQ(says({{"27", 1}}), 1u);
  EXPECT_EQ(says({{"13", 1}}), 1u) << "a hole";
  EXPECT_EQ(says({{"99", 1}}), 1u) << "not in the table";
  shape.expected.may = "..";
  EXPECT_EQ(says({{"10", 1}}), 0u);
  EXPECT_EQ(says({{"10", 1}}, Model::kTso), 1u);
  EXPECT_EQ(says({{"race", 1}}), 1u);
  EXPECT_EQ(judge(shape, Model::kCpp, {{"11", 1}}, Thoroughness::kSeenToo).size(), 1u) << "01 was claimed";
}

TEST(Table, HasWhatItPromises) {
  EXPECT_GE(direct::shapes().size(), 60u);
  for (const Shape& shape : direct::shapes()) EXPECT_GE(shape.registers(), 1u) << shape.name;
}

}  // namespace
}  // namespace engine::litmus
