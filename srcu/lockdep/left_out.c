/* In C, as left_out_test.cpp in C++. */
#define LEFT_OUT_FUNCTION use_the_prover_in_c
#include "srcu/lockdep/left_out.h"
