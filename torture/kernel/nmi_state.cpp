#include "torture/kernel/nmi_state.hpp"

#include <cstdlib>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"

namespace torture {

const std::vector<std::pair<NmiState, const char*>>& nmi_states() {
  static const std::vector<std::pair<NmiState, const char*>> states = {
      {NmiState::kFirstUse, "first_use"},
      {NmiState::kIdle, "idle"},
      {NmiState::kScan1, "scan1"},
      {NmiState::kScan2, "scan2"},
      {NmiState::kRequested, "requested"},
      {NmiState::kSdpContended, "sdp_contended"},
      {NmiState::kSupContended, "sup_contended"},
  };
  return states;
}

const std::vector<NmiReaders>& nmi_readers() {
  static const std::vector<NmiReaders> readers = {
      {"nmisafe", SRCU_KIND_NORMAL,
       [](srcu_struct* ssp) { srcu_read_unlock_nmisafe(ssp, srcu_read_lock_nmisafe(ssp)); }},
      {"fast", SRCU_KIND_FAST,
       [](srcu_struct* ssp) { srcu_read_unlock_fast(ssp, srcu_read_lock_fast(ssp)); }},
      {"fast_updown", SRCU_KIND_FAST_UPDOWN,
       [](srcu_struct* ssp) { srcu_read_unlock_fast_updown(ssp, srcu_read_lock_fast_updown(ssp)); }},
      {"updown", SRCU_KIND_NORMAL, [](srcu_struct* ssp) { srcu_up_read(ssp, srcu_down_read(ssp)); }, true},
      {"trace", SRCU_KIND_FAST,
       [](srcu_struct*) {
         rcu_read_lock_trace();
         rcu_read_unlock_trace();
       },
       true},
  };
  return readers;
}

PreparedDomain::PreparedDomain(NmiState state, const NmiReaders& readers, const std::string& strategy)
    : ssp_{nullptr, readers.kind, nullptr, "prepared"} {
  if (state == NmiState::kFirstUse) return;  // with the strategy that a domain has by itself
  if (srcu_set_strategy(&ssp_, strategy.c_str()) != 0) throw harness::Broken("no strategy " + strategy);
  readers.read(&ssp_);  // the thread has its number
  synchronize_srcu(&ssp_);
  srcu::Usage& usage = srcu::usage_of(&ssp_);
  if (state == NmiState::kSdpContended) hold(usage.data.lock);
  if (state == NmiState::kSupContended) hold(usage.lock);
  if (state != NmiState::kScan1 && state != NmiState::kScan2 && state != NmiState::kRequested) return;
  // SCAN1 waits for a reader that took its rank before the last flip and counts only now.
  const uint32_t current =
      usage.rank.load(std::memory_order_relaxed);  // relaxed: no grace period is under way
  srcu_ctr& rank = usage.slots[0].rank[state == NmiState::kScan1 ? 1 - current : current];
  __atomic_fetch_add(&rank.lock, 1, __ATOMIC_SEQ_CST);
  rank_ = &rank;
  static_cast<void>(start_poll_synchronize_srcu(&ssp_));
  wait_for(state == NmiState::kScan1 ? srcu::GpState::kScan1 : srcu::GpState::kScan2);
  if (state == NmiState::kRequested) static_cast<void>(start_poll_synchronize_srcu(&ssp_));
}

void PreparedDomain::wait_for(srcu::GpState state) {
  const srcu::Usage& usage = srcu::usage_of(&ssp_);
  // acquire: the state that the driver is in, and what it did before
  while (srcu::seq_state(usage.gp_seq.load(std::memory_order_acquire)) != state) harness::sleep_ns(10'000);
}

void PreparedDomain::hold(srcu::Spinlock& lock) {
  holder_ = std::thread([this, &lock] {
    const srcu::IrqLocked locked(lock);
    holds_.store(true, std::memory_order_release);                             // pairs with the acquire below
    while (!let_go_.load(std::memory_order_acquire)) harness::sleep_ns(1000);  // pairs with let_go()
  });
  while (!holds_.load(std::memory_order_acquire)) harness::sleep_ns(1000);
}

void PreparedDomain::leave() {
  let_go();
  if (holder_.joinable()) holder_.join();
  if (rank_) __atomic_fetch_add(&rank_->unlock, 1, __ATOMIC_SEQ_CST);
  rank_ = nullptr;
}

PreparedDomain::~PreparedDomain() {
  leave();
  srcu_barrier(&ssp_);
  cleanup_srcu_struct(&ssp_);
  if (ssp_.srcu_sup) std::abort();  // which the parent reports
}

}  // namespace torture
