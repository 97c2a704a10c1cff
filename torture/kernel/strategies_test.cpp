#include "torture/kernel/strategies.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/base/errors.hpp"
#include "torture/kernel/nmi_session.hpp"

namespace torture {
namespace {

TEST(Strategies, AreListedAndKnown) {
  EXPECT_EQ(strategies().size(), 14U);
  for (const auto& [name, sentence] : strategies()) {
    EXPECT_NO_THROW(check_strategy(name));
    EXPECT_EQ(sentence.find('\t'), std::string::npos);
  }
  EXPECT_NO_THROW(check_strategy("nolock"));
  EXPECT_NO_THROW(check_strategy(Params{}.strategy));
}

TEST(Strategies, RefuseTheUnknownWithTheNearest) {
  try {
    check_strategy("nolock:irq_off");
    FAIL();
  } catch (const harness::UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("nolock:irqs_off"), std::string::npos) << error.what();
  }
}

TEST(Strategies, SayWhatTheyBear) {
  const std::vector<std::string> nmis = strategies_that_bear_nmis();
  EXPECT_EQ(nmis, (std::vector<std::string>{"defer_nmi", "defer_irqoff", "nolock:always", "nolock:irqs_off", "nolock:in_nmi",
                                            "nolock:held_lock_table", "bpf_defer", "tasks_trace"}));
  EXPECT_TRUE(bears_signals("defer_irqoff"));
  EXPECT_FALSE(bears_signals("defer_nmi")) << "whose handlers would have to say that they are NMIs";
  EXPECT_FALSE(bears_signals("direct"));
}

size_t cases_of(const std::vector<NmiCase>& cases, const std::string& strategy) {
  return static_cast<size_t>(std::ranges::count(cases, strategy, &NmiCase::strategy));
}

TEST(SteppedCases, AreSomeAllOrThoseNamed) {
  Params params;
  const auto some = stepped_cases(params);
  EXPECT_GT(cases_of(some, "defer_irqoff"), 60U);
  EXPECT_LT(some.size(), 130U) << "it is to last minutes";
  for (const std::string& each : strategies_that_bear_nmis()) EXPECT_GE(cases_of(some, each), 2U) << each;
  EXPECT_EQ(cases_of(some, "direct"), 0U);
  params.nmi_strategies = "all";
  for (const std::string& each : strategies_that_bear_nmis())
    EXPECT_GE(cases_of(stepped_cases(params), each), 54U) << each;
  params.nmi_strategies = "bpf_defer  nolock:always";
  const auto named = stepped_cases(params);
  const auto first_uses = static_cast<size_t>(std::ranges::count(named, NmiState::kFirstUse, &NmiCase::state));
  EXPECT_GT(first_uses, 0U);
  EXPECT_EQ(first_uses, cases_of(named, params.strategy)) << "a fresh domain has the default";
  EXPECT_EQ(named.size(), cases_of(named, "bpf_defer") + cases_of(named, "nolock:always") + first_uses);
  for (const char* wrong : {"", "direct", "most", "bpf_defer,nolock:always"}) {
    params.nmi_strategies = wrong;
    EXPECT_THROW(stepped_cases(params), harness::UsageError) << wrong;
  }
}

}  // namespace
}  // namespace torture
