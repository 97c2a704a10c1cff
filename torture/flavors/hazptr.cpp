// Hazard pointers: retired by a direct call, and by one through bpf_defer, which may come from signal handlers.
#include <srcu/defer.h>

#include <atomic>
#include <new>

#include "srcu/platform/membarrier.hpp"
#include "torture/flavors/hazptr_domain.hpp"
#include "torture/flavors/table.hpp"

namespace torture {
namespace {

using hazptr::Domain;
using hazptr::Head;
using hazptr::Record;
using hazptr::Section;

Domain& domain(void* dom) { return *static_cast<Domain*>(dom); }
Record& record(void* ctx) { return *static_cast<Record*>(ctx); }

/// What a posted head holds while it is with the domain.
struct Posted {
  Head hazptr;  // first: the callback casts, and the object's address is its head's
  srcutorture_cb callback;
};
static_assert(sizeof(Posted) <= sizeof(srcutorture_head));

/// What it holds before, while it is with the queue.
static_assert(sizeof(bpf_defer_node) <= sizeof(srcutorture_head));

void on_unprotected(Head* head) {
  auto* posted = reinterpret_cast<Posted*>(head);
  posted->callback(reinterpret_cast<srcutorture_head*>(posted));
}

void* create() { return srcu::membarrier_works() ? new Domain : nullptr; }

void call(void* dom, void*, srcutorture_head* head, srcutorture_cb callback) {
  auto* posted = new (head) Posted{};
  posted->callback = callback;
  domain(dom).call_hazptr(&posted->hazptr, on_unprotected);
}

uint64_t pending_bytes(void* dom) { return domain(dom).waiting() * sizeof(srcutorture_head); }

// Heads that are with the queue.
std::atomic<uint64_t> deferred{0};

// call(), with the arguments of call_srcu(): the domain, the head and the callback stand where those of SRCU would.
void call_hazptr(srcu_struct* dom, rcu_head* head, rcu_callback_t func) {
  call(dom, nullptr, reinterpret_cast<srcutorture_head*>(head), reinterpret_cast<srcutorture_cb>(func));
  deferred.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a count
}

// The queue takes a copy of the node before it calls, so the head's memory serves for both.
void call_deferred(void* dom, void*, srcutorture_head* head, srcutorture_cb callback) {
  deferred.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
  bpf_defer(new (head) bpf_defer_node, call_hazptr, static_cast<srcu_struct*>(dom), reinterpret_cast<rcu_head*>(head),
            reinterpret_cast<rcu_callback_t>(callback));
}

// No synchronize: a scheme that watches objects has nothing that all readers pass.
constexpr Ops direct = table(
    {.name = "hazptr",
     .facts = SRCUTORTURE_SLEEPING_READER | SRCUTORTURE_NESTS | SRCUTORTURE_READER_IN_SIGNAL |
              SRCUTORTURE_CALL_UNDER_LOCK | SRCUTORTURE_CALL_IN_READER,
     .create = create,
     .destroy = [](void* dom) { delete &domain(dom); },
     .read_lock = [](void*, void* ctx) { return reinterpret_cast<uint64_t>(record(ctx).open()); },
     .read_unlock = [](void*, void* ctx, uint64_t token) { record(ctx).close(reinterpret_cast<Section*>(token)); },
     .call = call,
     .thread_register = [](void* dom) -> void* { return domain(dom).claim(); },
     .thread_unregister = [](void*, void* ctx) { Domain::release(&record(ctx)); },
     .protect = [](void*, void* ctx, void** slot) { return record(ctx).protect(slot); },
     .barrier = [](void* dom, void*) { domain(dom).barrier(); },
     .pending_bytes = pending_bytes,
     .reader_balance = [](void* dom) { return domain(dom).open_sections(); },
     .print_state = [](void* dom, FILE* file) { domain(dom).describe(file); }});

// By way of the queue, everything comes later, and barriers wait for the queue first.
constexpr Ops by_queue(Ops ops) {
  ops.name = "hazptr-defer";
  ops.facts |= SRCUTORTURE_CALL_IN_SIGNAL;
  ops.create = []() -> void* { return srcu_start_helper() == 0 ? create() : nullptr; };
  ops.destroy = [](void* dom) {
    bpf_defer_flush();
    delete &domain(dom);
  };
  ops.call = call_deferred;
  ops.barrier = [](void* dom, void*) {
    bpf_defer_flush();
    domain(dom).barrier();
  };
  // relaxed: a count
  ops.pending_bytes = [](void* dom) {
    return pending_bytes(dom) + deferred.load(std::memory_order_relaxed) * sizeof(srcutorture_head);
  };
  return ops;
}

}  // namespace

constinit const Ops hazptr_direct = direct;
constinit const Ops hazptr_deferred = by_queue(direct);

}  // namespace torture
