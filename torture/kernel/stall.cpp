#include "torture/kernel/stall.hpp"

namespace torture {

std::string check_of_stall(const srcu::Usage* posted_to) {
  if (!posted_to) return "stalled_gp";
  const uint64_t seq = posted_to->gp_seq.load(std::memory_order_acquire);
  // relaxed, both: long ago
  const bool asked = !srcu::seq_done(seq, posted_to->gp_seq_needed.load(std::memory_order_relaxed));
  const bool filed = posted_to->data.waiting.load(std::memory_order_relaxed) > 0;
  return asked || filed || srcu::seq_state(seq) != srcu::GpState::kIdle ? "stalled_gp" : "lost_callback";
}

}  // namespace torture
