// Not under control: to ask for an order is no step.
#include "srcu/tests/engine/drop_order.h"

#include <cstring>
#include <iterator>

#include "harness/engine/orders.hpp"
#include "srcu/platform/atomic.hpp"

namespace {

#define SRCU_LABELS "A", "B", "C", "D", "G", "E", "U", "H1", "H2", "T1", "T2", "S1", "S2", "Q1", "Q2", "L1", "L2", "R1", "R2", \
  "W1", "W2", "K1", "K2", "I1", "I2", "X1", "X2", "N1", "N2", "N3", "N4", "P1", "P2", "F1", "F2", "V1", "V2"

constexpr const char* kLabels[] = {SRCU_LABELS};  // in the order of srcu::Ord
static_assert(std::size(kLabels) == static_cast<size_t>(srcu::Ord::V2) + 1);

const engine::Orders orders{SRCU_LABELS};

}  // namespace

int srcu_ordered_by_name(const char* label, int order) {
  return std::strcmp(engine::dropped_order(), label) == 0 ? __ATOMIC_RELAXED : order;
}

int srcu_ordered_by_number(int label, int order) { return srcu_ordered_by_name(kLabels[label], order); }
