#include "torture/kernel/stall.hpp"

#include <gtest/gtest.h>

#include "srcu/tests/manual_host.hpp"

namespace torture {
namespace {

using srcu::test::Counted;
using srcu::test::ManualHost;

class Stall : public srcu::test::OnManualHost {
 protected:
  Counted counted;
};

TEST_F(Stall, OfAPostThatDoesNotReturnLosesNothing) { EXPECT_EQ(check_of_stall(nullptr), "stalled_gp"); }

TEST_F(Stall, IsOneOfTheGracePeriodAsLongAsOneIsOwed) {
  const uint32_t rank = current();
  open(rank);
  counted.post(domain);
  EXPECT_EQ(check_of_stall(&usage), "stalled_gp") << "nobody has begun it";
  ManualHost::run(usage.gp_work);
  EXPECT_EQ(check_of_stall(&usage), "stalled_gp") << "a reader holds it up";
  close(rank);
  while (ManualHost::run(usage.gp_work)) {
  }
  EXPECT_EQ(check_of_stall(&usage), "stalled_gp") << "nobody runs callbacks";
  ManualHost::run(usage.data.invoke_work);
  EXPECT_EQ(counted.times(), 1u);
}

TEST_F(Stall, WhereNothingIsOwedIsALoss) {
  EXPECT_EQ(check_of_stall(&usage), "lost_callback");
  srcu::irq_off();
  counted.post(domain);
  EXPECT_EQ(check_of_stall(&usage), "lost_callback") << "staged, and nobody was told";
  srcu::irq_on();
  while (ManualHost::run(usage.gp_work) || ManualHost::run(usage.data.invoke_work)) {
  }
  EXPECT_EQ(counted.times(), 1u);
}

}  // namespace
}  // namespace torture
