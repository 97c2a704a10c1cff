// The rules. Each is asked of what is new alone: a wait type with every acquisition that is looked at, usage
// when a class does something for the first time, orders when two classes first follow each other.
#include <algorithm>

#include "srcu/lockdep/lockdep.hpp"

namespace srcu::lockdep {
namespace {

// Guarded by the prover's lock: what a report points at.
Link chain[kMaxLinks];
char detail[128];

uint32_t index_of(uint32_t bit) { return static_cast<uint32_t>(__builtin_ctz(bit)); }
uint32_t lowest(uint32_t bits) { return bits & -bits; }

const char* state_arrow(uint32_t first, uint32_t then) {
  char* at = detail;
  const auto append = [&at](const char* text) {
    while (*text) *at++ = *text++;
  };
  for (const char* text : {"{", name_of_usage(first), "} -> {", name_of_usage(then), "}"}) append(text);
  *at = '\0';
  return detail;
}

// ---- Wait types ----

void check_wait(const Task& task, const Acquisition& next) {
  uint8_t allowed = next.situation.allowed;
  const Held* narrowest = nullptr;
  for (uint32_t i = peek(task.depth); i-- > 0;) {
    const Held& held = task.held[i];
    if (!is_held(held)) continue;
    if (held.situation.context != next.situation.context) break;
    const uint8_t inner = inner_of(*held.lock_class);
    if (!inner || inner > allowed || (inner == allowed && narrowest)) continue;
    allowed = inner;
    narrowest = &held;
  }
  if (needs(*next.lock_class) <= allowed) return;
  // Without a lock that forbids it, too, it is the context alone.
  if (!first_time(Finding::kWait, narrowest ? narrowest->node : 0, next.node, narrowest ? 0 : next.situation.context))
    return;
  Report report{};
  report.taken = point_of(next);
  if (narrowest) report.held = point_of(*narrowest);
  deliver(report, Finding::kWait, task);
}

// ---- Usage: interrupts ----

uint32_t writers(uint32_t bits) { return (bits & kWriters) | (bits & kReaders) >> 1; }
uint32_t both(uint32_t bits) { return writers(bits) | writers(bits) << 1; }
// In a handler for with interrupts on, and the other way round.
uint32_t opposite(uint32_t writer_bits) { return (writer_bits & kIn) << 2 | (writer_bits & kOn) >> 2; }

// Of one that is reached weakly, only what excludes a reader stands in the way.
uint32_t usage_at(const Reached& at) {
  const uint32_t usage = peek(nodes[at.node].usage);
  return at.weak ? usage & kWriters : usage;
}
bool has_usage(const Reached& at, void* mask) { return usage_at(at) & *static_cast<const uint32_t*>(mask); }
bool gather_usage(const Reached& at, void* mask) {
  return *static_cast<uint32_t*>(mask) |= usage_at(at), false;
}

bool report_state(const Task& task, const Point& by, const Node& node, uint16_t number, uint32_t clash,
                  uint32_t bit) {
  if (!first_time(Finding::kState, number, 0, index_of(bit))) return false;
  Report report{};
  report.detail = state_arrow(clash, bit);
  report.taken = by;
  report.safe = bit & both(kIn) ? by : node.seen[index_of(clash)];
  report.unsafe = bit & both(kIn) ? node.seen[index_of(clash)] : by;
  deliver(report, Finding::kState, task);
  return false;
}

bool report_inversion(const Task& task, const Point& by, uint16_t number, const Reached& found,
                      uint32_t clash, uint32_t bit) {
  if (!first_time(Finding::kInversion, number, found.node, index_of(bit))) return false;
  const bool in_handler = bit & both(kIn);
  const Point& other = nodes[found.node].seen[index_of(clash)];
  Report report{};
  report.detail = state_arrow(in_handler ? bit : clash, in_handler ? clash : bit);
  report.taken = by;
  report.safe = in_handler ? by : other;
  report.unsafe = in_handler ? other : by;
  report.chain = chain;
  report.links = append_path(found, in_handler ? Along::kOrder : Along::kAgainstOrder, chain, 0);
  deliver(report, Finding::kInversion, task);
  return false;
}

// Whether the graph stays right with this use of the class.
bool compatible(const Task& task, uint16_t number, uint32_t bit, const Point& by) {
  const Node& node = nodes[number];
  const uint32_t excluded = opposite(writers(bit));
  // Two readers of one lock are no harm, but along an order the lock at its end may be asked for by a writer.
  if (const uint32_t clash = peek(node.usage) & (bit & kReaders ? excluded : both(excluded)))
    return report_state(task, by, node, number, lowest(clash), bit);
  const bool in_handler = bit & both(kIn);
  uint32_t mask = both(excluded);
  const Reached found = search({number, in_handler ? recursive(by.how) : reads(by.how)},
                               in_handler ? Along::kOrder : Along::kAgainstOrder, has_usage, &mask);
  if (!found.node) return true;
  return report_inversion(task, by, number, found, lowest(usage_at(found) & mask), bit);
}

// ---- Orders ----

struct Target {
  uint16_t node;
  bool read;
};
bool waits_for(const Reached& at, void* argument) {
  const auto& target = *static_cast<const Target*>(argument);
  return at.node == target.node && !(target.read && at.weak);
}

bool closes_cycle(const Task& task, const Held& prev, const Acquisition& next) {
  Target target = {prev.node, reads(prev.how)};
  const Reached found = search({next.node, recursive(next.how)}, Along::kOrder, waits_for, &target);
  if (!found.node) return false;
  if (!first_time(Finding::kCycle, prev.node, next.node, 0)) return true;
  Report report{};
  report.taken = point_of(next);
  report.held = point_of(prev);
  report.chain = chain;
  report.links = append_path(found, Along::kOrder, chain, 0);
  deliver(report, Finding::kCycle, task);
  return true;
}

void report_order(const Task& task, const Held& prev, const Acquisition& next, const Reached& unsafe) {
  const uint32_t on = usage_at(unsafe) & both(kOn);
  uint32_t mask = both(opposite(writers(on)));
  Link after[kMaxLinks];
  const uint32_t tail = append_path(unsafe, Along::kOrder, after, 0);
  const Reached safe = search({prev.node, reads(prev.how)}, Along::kAgainstOrder, has_usage, &mask);
  if (!safe.node || !first_time(Finding::kOrder, safe.node, unsafe.node, 0)) return;
  const uint32_t in = lowest(usage_at(safe) & mask);
  const uint32_t clash = lowest(on & both(opposite(writers(in))));
  uint32_t count = append_path(safe, Along::kAgainstOrder, chain, 0);
  if (count < kMaxLinks) chain[count++] = {point_of(prev), point_of(next)};
  const uint32_t fits = std::min(tail, kMaxLinks - count);
  std::copy_n(after, fits, chain + count);
  Report report{};
  report.headline = in & both(SRCU_LOCKDEP_IN_HARDIRQ) ? "HARDIRQ-safe -> HARDIRQ-unsafe lock order detected"
                                                       : "SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected";
  report.detail = state_arrow(in, clash);
  report.taken = point_of(next);
  report.held = point_of(prev);
  report.safe = nodes[safe.node].seen[index_of(in)];
  report.unsafe = nodes[unsafe.node].seen[index_of(clash)];
  report.chain = chain;
  report.links = count + fits;
  deliver(report, Finding::kOrder, task);
}

// Something before is taken by handlers, and something behind with interrupts on.
bool leads_from_safe_to_unsafe(const Task& task, const Held& prev, const Acquisition& next) {
  uint32_t usage = 0;
  search({prev.node, reads(prev.how)}, Along::kAgainstOrder, gather_usage, &usage);
  uint32_t excluded = both(opposite(writers(usage & both(kIn))));
  if (!excluded) return false;
  const Reached unsafe = search({next.node, recursive(next.how)}, Along::kOrder, has_usage, &excluded);
  if (!unsafe.node) return false;
  report_order(task, prev, next, unsafe);
  return true;
}

void note_order(const Task& task, const Held& prev, const Acquisition& next) {
  const uint8_t kind = dependency(prev.how, next.how);
  if (edge_known(prev.node, next.node, kind)) return;
  const bool bad = closes_cycle(task, prev, next) || leads_from_safe_to_unsafe(task, prev, next);
  add_edge(prev.node, next.node, kind, !bad, {point_of(prev), point_of(next)});
}

// From each held lock, back to the first that has strong orders from those before.
void note_orders(const Task& task, const Acquisition& next) {
  for (uint32_t i = peek(task.depth); i-- > 0;) {
    const Held& held = task.held[i];
    if (!is_held(held)) continue;
    if (held.situation.context != next.situation.context) return;
    if (!held.node) continue;
    note_order(task, held, next);
    if (passes_orders_on(held.how)) return;
  }
}

// Whether the thread holds one of its class already, which settles the matter, for good or ill.
bool recursion(const Task& task, const Acquisition& next) {
  bool nested = false;
  for (uint32_t i = 0; i < peek(task.depth); ++i) {
    const Held& held = task.held[i];
    if (!is_held(held)) continue;
    nested = nested || (next.nest && peek(held.lock) == next.nest);
    if (held.node != next.node || (recursive(next.how) && reads(held.how))) continue;
    if (nested || !first_time(Finding::kRecursion, next.node, 0, 0)) return true;
    Report report{};
    report.taken = point_of(next);
    report.held = point_of(held);
    deliver(report, Finding::kRecursion, task);
    return true;
  }
  return false;
}

}  // namespace

void examine_usage(const Task& task, uint16_t number, uint32_t usage, const Point& by) {
  Node& node = nodes[number];
  for (uint32_t fresh = usage & ~peek(node.known); fresh; fresh &= fresh - 1) {
    const uint32_t bit = lowest(fresh);
    node.seen[index_of(bit)] = by;
    const bool good = bit >= SRCU_LOCKDEP_USED || compatible(task, number, bit, by);
    if (good) put(node.usage, peek(node.usage) | bit);
    put(node.known, peek(node.known) | bit);
  }
}

void examine(Task& task, Acquisition& next) {
  next.node = make_node(*next.lock_class, next.subclass);
  if (!next.node) return;
  if (!tried(next.how)) check_wait(task, next);
  examine_usage(task, next.node, next.usage, point_of(next));
  if (!tried(next.how) && !recursion(task, next)) note_orders(task, next);
}

void check_nmi(const Task& task, const Acquisition& next) {
  if (tried(next.how) || !next.node) return;
  // Readers are in nobody's way but a writer's.
  constexpr uint32_t kReadUsed = SRCU_LOCKDEP_USED << 1;
  const uint32_t used =
      peek(nodes[next.node].known) & (SRCU_LOCKDEP_USED | (reads(next.how) ? 0 : kReadUsed));
  if (!used || !first_time(Finding::kNmi, next.node, 0, 0)) return;
  Report report{};
  report.detail = used & SRCU_LOCKDEP_USED ? "{INITIAL USE} -> {IN-NMI}" : "{INITIAL READ USE} -> {IN-NMI}";
  report.taken = point_of(next);
  deliver(report, Finding::kNmi, task);
}

}  // namespace srcu::lockdep
