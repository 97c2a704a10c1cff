// The updaters' part of srcu.h.
#include <stdio.h>

#include <algorithm>

#include "srcu/core/misuse.hpp"
#include "srcu/core/name.hpp"
#include "srcu/core/usage.hpp"
#include "srcu/core/watch.hpp"
#include "srcu/platform/complain.hpp"

namespace srcu {
namespace {

void synchronize(srcu_struct* ssp, bool hurry, const char* function) {
  Usage& usage = usage_of(ssp);
  watch_sections_awaited(usage, function);
  check_not_inside(usage, function);
  check_not_at_work(ssp, function, usage.host);
  const uint64_t seq = snapshot(usage);
  request(usage, seq, hurry, false);
  wait_for(usage, seq);
  // ORD(E): pairs with B: what the caller does now comes after the grace period for readers that fence, too.
  fence(Ord::E);
}

void post(Usage& usage, rcu_head* head, rcu_callback_t func, bool must_stage) {
  check_function(usage, head, func);
  head->func = func;
  if (must_stage) return stage(usage, head);
  if (!usage.host->start()) die("call_srcu: the helper thread cannot be started: raise the limit on threads");
  usage.strategy->post(usage, head);
}

}  // namespace
}  // namespace srcu

extern "C" {

void synchronize_srcu(srcu_struct* ssp) { srcu::synchronize(ssp, false, "synchronize_srcu"); }
void synchronize_srcu_expedited(srcu_struct* ssp) { srcu::synchronize(ssp, true, "synchronize_srcu_expedited"); }

void call_srcu(srcu_struct* ssp, rcu_head* head, rcu_callback_t func) {
  using namespace srcu;
  Usage& usage = usage_of(ssp);
  post(usage, head, func, usage.strategy->must_stage(usage));
}

void call_srcu_nolock(srcu_struct* ssp, rcu_head* head, rcu_callback_t func) {
  using namespace srcu;
  Usage& usage = usage_of(ssp);
  post(usage, head, func, usage.strategy->must_stage_nolock(usage));
}

void srcu_barrier(srcu_struct* ssp) {
  using namespace srcu;
  Usage& usage = usage_of(ssp);
  watch_callbacks_awaited(usage, "srcu_barrier");
  watch_sections_awaited(usage, "srcu_barrier");
  check_not_in_callback(usage, "srcu_barrier");
  check_not_inside(usage, "srcu_barrier");
  check_not_at_work(ssp, "srcu_barrier", usage.host);
  barrier(usage);
}

unsigned long get_state_synchronize_srcu(srcu_struct* ssp) { return srcu::snapshot(srcu::usage_of(ssp)); }

unsigned long start_poll_synchronize_srcu(srcu_struct* ssp) {
  using namespace srcu;
  Usage& usage = usage_of(ssp);
  check_not_at_work(ssp, "start_poll_synchronize_srcu", usage.host);
  if (!usage.host->start()) die("start_poll: the helper thread cannot be started: raise the limit on threads");
  const uint64_t seq = snapshot(usage);
  request(usage, seq, false, true);
  return seq;
}

bool poll_state_synchronize_srcu(srcu_struct* ssp, unsigned long cookie) {
  using namespace srcu;
  const Usage& usage = usage_of(ssp);
  // ORD(Q2): pairs with Q1.
  if (!seq_done_exact(usage.gp_seq.load(acquire(Ord::Q2)), cookie)) return false;
  fence(Ord::E);  // ORD(E): as in synchronize()
  return true;
}

void srcu_expedite_current(srcu_struct* ssp) {
  using namespace srcu;
  Usage& usage = usage_of(ssp);
  check_not_at_work(ssp, "srcu_expedite_current", usage.host);
  if (!usage.host->start()) die("srcu_expedite_current: the helper thread cannot be started: raise the limit on threads");
  request(usage, snapshot(usage), true, true);
}

unsigned long srcu_batches_completed(srcu_struct* ssp) {
  // relaxed: a statistic
  return (srcu::usage_of(ssp).gp_seq.load(srcu::relaxed) - srcu::kSeqFirst) / srcu::kSeqGp;
}

long srcu_open_sections(srcu_struct* ssp) {
  const srcu::Usage& usage = srcu::usage_of(ssp);
  const int64_t a = srcu::open_sections(usage, 0), b = srcu::open_sections(usage, 1);
  return static_cast<long>(a < 0 || b < 0 ? std::min(a, b) : a + b);
}

int srcu_describe(srcu_struct* ssp, char* text, size_t size) {
  using namespace srcu;
  const Usage& usage = usage_of(ssp);
  // relaxed, all: a look in passing
  const uint64_t seq = usage.gp_seq.load(relaxed);
  static constexpr const char* states[] = {"idle", "scan 1", "scan 2", "?"};
  return snprintf(text, size,
                  "srcu %s: %s, %s; grace periods ended %lu, asked for %lu more; open sections %ld + %ld; callbacks %lu%s%s",
                  Name(ssp).text(), usage.strategy->name, states[seq & kSeqState],
                  static_cast<unsigned long>((seq - kSeqFirst) / kSeqGp),
                  static_cast<unsigned long>((usage.gp_seq_needed.load(relaxed) - seq + kSeqState) / kSeqGp),
                  static_cast<long>(open_sections(usage, 0)), static_cast<long>(open_sections(usage, 1)),
                  static_cast<unsigned long>(usage.data.waiting.load(relaxed)),
                  usage.data.staged.posts.empty() ? "" : ", some staged",
                  usage.driver.load(relaxed) ? ", driven now" : "");
}

}  // extern "C"
