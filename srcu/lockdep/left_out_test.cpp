// The prover's face in a build without the prover: all of it compiles, and nothing happens.
#include <gtest/gtest.h>

extern "C" const char* use_the_prover_in_c(void);
#define LEFT_OUT_FUNCTION use_the_prover_in_cpp
#include "srcu/lockdep/left_out.h"

namespace srcu {
namespace {

TEST(LeftOut, IsNothingInC) { EXPECT_STREQ(use_the_prover_in_c(), nullptr); }
TEST(LeftOut, IsNothingInCpp) { EXPECT_STREQ(use_the_prover_in_cpp(), nullptr); }

}  // namespace
}  // namespace srcu
