// Edges, and the search for strong paths: those along which a deadlock can come about. A recursive reader
// waits for a writer alone, so a path into a lock by recursive reads, and on from it by one who holds it
// shared, is none.
#include "srcu/lockdep/lockdep.hpp"

namespace srcu::lockdep {

Edge edges[kMaxEdges];
uint32_t edge_count = 1;  // edge 0 is none
std::atomic<uint16_t> edge_between[kMaxNodes][kMaxNodes];

namespace {

// Masks of dependencies: those from a lock held exclusively, and those to one that is not read recursively.
constexpr uint8_t kFromExclusive = 1U << kExclusive | 1U << (kExclusive + kNonRecursive);
constexpr uint8_t kToNonRecursive = 1U << kNonRecursive | 1U << (kExclusive + kNonRecursive);

/// What the search knows of a node, reached with and without weakness.
struct Visit {
  uint32_t search;  ///< The last one that came here.
  uint16_t edge;    ///< By which; 0 at the root.
  bool from_weak;   ///< How that edge's other end was reached.
};
Visit visits[2 * kMaxNodes];
Reached waiting[2 * kMaxNodes];
uint32_t searches = 0;

Visit& visit_of(const Reached& at) { return visits[2 * at.node + at.weak]; }

// Without weakness one can go wherever one can with it.
bool visited(const Reached& at) {
  return visit_of(at).search == searches || visit_of({at.node, false}).search == searches;
}

uint16_t make_edge(uint16_t from, uint16_t to) {
  if (edge_count == kMaxEdges) return table_full(Table::kEdges), uint16_t{0};
  const auto fresh = static_cast<uint16_t>(edge_count++);
  Edge& edge = edges[fresh];
  edge.from = from;
  edge.to = to;
  edge.used = 0;
  put(edge.known, uint8_t{0});
  edge.next_out = nodes[from].first_out;
  edge.next_in = nodes[to].first_in;
  nodes[from].first_out = nodes[to].first_in = fresh;
  put(edge_between[from][to], fresh);
  return fresh;
}

}  // namespace

void add_edge(uint16_t from, uint16_t to, uint8_t dependency, bool good, const Link& link) {
  uint16_t found = peek(edge_between[from][to]);
  if (!found) found = make_edge(from, to);
  if (!found) return;
  Edge& edge = edges[found];
  if (!peek(edge.known)) edge.link = link;
  if (good) edge.used = static_cast<uint8_t>(edge.used | dependency);
  put(edge.known, static_cast<uint8_t>(peek(edge.known) | dependency));
}

Reached search(Reached root, Along along, Match match, void* argument) {
  const bool forwards = along == Along::kOrder;
  const uint8_t from_weak = forwards ? kFromExclusive : kToNonRecursive;
  const uint8_t to_strong = forwards ? kToNonRecursive : kFromExclusive;
  ++searches;
  uint32_t begin = 0, end = 0;
  visit_of(root) = {searches, 0, false};
  waiting[end++] = root;
  while (begin < end) {
    const Reached at = waiting[begin++];
    if (match(at, argument)) return at;
    const Node& node = nodes[at.node];
    for (uint16_t i = forwards ? node.first_out : node.first_in; i;
         i = forwards ? edges[i].next_out : edges[i].next_in) {
      const auto usable = static_cast<uint8_t>(edges[i].used & (at.weak ? from_weak : 0xFF));
      const Reached next = {forwards ? edges[i].to : edges[i].from, !(usable & to_strong)};
      if (!usable || visited(next)) continue;
      visit_of(next) = {searches, i, at.weak};
      waiting[end++] = next;
    }
  }
  return {};
}

uint32_t append_path(const Reached& found, Along along, Link* links, uint32_t count) {
  const bool forwards = along == Along::kOrder;
  uint32_t length = 0;
  for (Reached at = found; visit_of(at).edge; ++length) {
    const Edge& edge = edges[visit_of(at).edge];
    at = {forwards ? edge.from : edge.to, visit_of(at).from_weak};
  }
  uint32_t step = 0;
  for (Reached at = found; visit_of(at).edge; ++step) {
    const Edge& edge = edges[visit_of(at).edge];
    const uint32_t place = count + (forwards ? length - 1 - step : step);
    if (place < kMaxLinks) links[place] = edge.link;
    at = {forwards ? edge.from : edge.to, visit_of(at).from_weak};
  }
  return count + length < kMaxLinks ? count + length : kMaxLinks;
}

void forget_edges() {
  for (uint32_t i = 1; i < edge_count; ++i) put(edge_between[edges[i].from][edges[i].to], uint16_t{0});
  edge_count = 1;
}

void forget_edges_of(uint16_t node) {
  const auto forget = [](Edge& edge) {
    put(edge.known, uint8_t{0});
    edge.used = 0;
  };
  for (uint16_t i = nodes[node].first_out; i; i = edges[i].next_out) forget(edges[i]);
  for (uint16_t i = nodes[node].first_in; i; i = edges[i].next_in) forget(edges[i]);
}

}  // namespace srcu::lockdep

extern "C" void srcu_lockdep_for_each_edge(void (*visit)(const srcu_lockdep_link* link, void* argument),
                                           void* argument) {
  using namespace srcu::lockdep;
  for (uint32_t i = 1;; ++i) {
    prover_lock.acquire_lock();
    const bool there = i < edge_count, known = there && peek(edges[i].known);
    const Link link = known ? edges[i].link : Link{};  // it changes when an object is forgotten
    prover_lock.drop();
    if (!there) return;
    if (known) visit(&link, argument);
  }
}
