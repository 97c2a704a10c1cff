// This project's SRCU, a table for each kind of reader.
#include "torture/flavors/registry.hpp"
#include "torture/flavors/srcu_body.hpp"

namespace torture {
namespace {

using srcu_flavor::body;
using srcu_flavor::domain;

DEFINE_STATIC_SRCU(static_domain);

// A domain that is there from the start, with its strategy; null if that cannot be.
template <srcu_struct* ssp>
void* ready() {
  static const bool made = srcu_flavor::made_ready(ssp);
  return made && srcu_start_helper() == 0 ? ssp : nullptr;
}

// The domain known at compile time: made on first use, never cleaned up.
constexpr Ops on_static_domain(Ops ops) {
  ops.create = []() -> void* { return ready<&static_domain>(); };
  ops.destroy = [](void* dom) { srcu_barrier(domain(dom)); };
  return ops;
}

constexpr Ops closed_anywhere(Ops ops) {
  ops.facts |= SRCUTORTURE_UNLOCK_ELSEWHERE;
  return ops;
}

uint64_t lock(void* dom, void*) { return static_cast<uint64_t>(srcu_read_lock(domain(dom))); }
void unlock(void* dom, void*, uint64_t token) { srcu_read_unlock(domain(dom), static_cast<int>(token)); }

uint64_t lock_nmisafe(void* dom, void*) { return static_cast<uint64_t>(srcu_read_lock_nmisafe(domain(dom))); }
void unlock_nmisafe(void* dom, void*, uint64_t token) {
  srcu_read_unlock_nmisafe(domain(dom), static_cast<int>(token));
}

uint64_t down(void* dom, void*) { return static_cast<uint64_t>(srcu_down_read(domain(dom))); }
void up(void* dom, void*, uint64_t token) { srcu_up_read(domain(dom), static_cast<int>(token)); }

uint64_t token_of(srcu_ctr* scp) { return reinterpret_cast<uint64_t>(scp); }
srcu_ctr* ctr_of(uint64_t token) { return reinterpret_cast<srcu_ctr*>(token); }

uint64_t lock_fast(void* dom, void*) { return token_of(srcu_read_lock_fast(domain(dom))); }
void unlock_fast(void* dom, void*, uint64_t token) { srcu_read_unlock_fast(domain(dom), ctr_of(token)); }

uint64_t down_fast(void* dom, void*) { return token_of(srcu_down_read_fast(domain(dom))); }
void up_fast(void* dom, void*, uint64_t token) { srcu_up_read_fast(domain(dom), ctr_of(token)); }

uint64_t lock_trace(void*, void*) {
  rcu_read_lock_trace();
  return 0;
}
void unlock_trace(void*, void*, uint64_t) { rcu_read_unlock_trace(); }

// One domain for the process; its readers nest as a stack, so they do not go hand over hand.
constexpr Ops on_trace_domain(Ops ops) {
  ops.create = []() -> void* { return ready<&rcu_tasks_trace_srcu_struct>(); };
  ops.destroy = [](void*) { rcu_barrier_tasks_trace(); };
  return ops;
}

}  // namespace

void choose_strategy(const char* name) { srcu_flavor::strategy = name; }
void prepare_domains(void (*prepare)(srcu_struct* ssp)) { srcu_flavor::prepare = prepare; }

constinit const Ops srcu_normal = on_static_domain(body<init_srcu_struct>("srcu", lock, unlock));
constinit const Ops srcu_dynamic = body<init_srcu_struct>("srcud", lock, unlock);
constinit const Ops srcu_nmisafe = body<init_srcu_struct>("srcu-nmisafe", lock_nmisafe, unlock_nmisafe);
constinit const Ops srcu_updown = closed_anywhere(body<init_srcu_struct>("srcu-updown", down, up));
constinit const Ops srcu_fast = body<init_srcu_struct_fast>("srcu-fast", lock_fast, unlock_fast);
constinit const Ops srcu_fast_updown =
    closed_anywhere(body<init_srcu_struct_fast_updown>("srcu-fast-updown", down_fast, up_fast));
constinit const Ops tasks_trace = on_trace_domain(body<init_srcu_struct_fast>("tasks-trace", lock_trace, unlock_trace));

}  // namespace torture
