#include <gtest/gtest.h>

#include <string>

#include "harness/engine/token.hpp"
#include "torture/engine/plugin_tests.hpp"

extern const struct srcutorture_ops with_colons;
const struct srcutorture_ops with_colons = {.version = SRCUTORTURE_OPS_VERSION, .name = "urcu::memb", .synchronize = [](void*, void*) {}};

namespace torture::controlled {
namespace {

TEST(PluginTests, CanBeReplayedWhateverTheSchemeIsCalled) {
  add_tests<with_colons>(with_colons.name);
  ASSERT_GT(engine::all_tests().size(), 2u);
  EXPECT_STREQ(engine::all_tests().front().name, "urcu..memb_synchronize");
  for (const engine::Test& test : engine::all_tests())
    EXPECT_EQ(engine::from_text(engine::to_text({engine::build_id(), test.name, {}, 0})).test, test.name);
}

}  // namespace
}  // namespace torture::controlled
