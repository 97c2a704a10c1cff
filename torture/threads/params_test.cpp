#include "torture/threads/params.hpp"

#include <gtest/gtest.h>

#include "harness/base/errors.hpp"
#include "torture/threads/phase.hpp"

namespace torture {
namespace {

TEST(Params, EveryKnobTakesItsOwnText) {
  const Params defaults;
  for (const Knob& knob : knobs()) {
    Params params;
    set_param(params, knob.name, param_text(defaults, knob));
    EXPECT_EQ(param_text(params, knob), param_text(defaults, knob)) << knob.name;
  }
}

TEST(Params, BareDurationsAreSeconds) {
  Params params;
  set_param(params, "stutter", "5");
  EXPECT_EQ(params.stutter, 5'000'000'000);
  set_param(params, "stutter", "20ms");
  EXPECT_EQ(params.stutter, 20'000'000);
}

TEST(Params, RefusesWithTheCure) {
  Params params;
  for (const auto& [key, value] : {std::pair{"nreaders", "32"},
                                   {"nreaders", "x"},
                                   {"stutter", "1.5"},
                                   {"stutter", "-1"},
                                   {"nreader", "1"},
                                   {"gp_sync", "2"},
                                   {"cbflood_max", ""}}) {
    EXPECT_THROW(set_param(params, key, value), harness::UsageError) << key << "=" << value;
  }
}

TEST(Phases, OrderAndNamesAreKept) {
  const auto phases = parse_phases("control ordering", 2);
  ASSERT_EQ(phases.size(), 2U);
  EXPECT_STREQ(phases[0].name, "control");
  EXPECT_EQ(phases[1].readers, 1U) << "on two CPUs the updater has one for itself";
  EXPECT_EQ(parse_phases("ordering", 8)[0].readers, 2U);
  EXPECT_THROW(parse_phases("", 2), harness::UsageError);
  EXPECT_THROW(parse_phases("chaos", 2), harness::UsageError);
}

}  // namespace
}  // namespace torture
