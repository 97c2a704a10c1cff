// The prover's parts. srcu/lockdep.h is its face, and says what it is for.
//
//   acquire.cpp   what the annotations call; the fast way of an acquisition that brings nothing new
//
//   held.hpp      a thread's held locks
//
//   chain.hpp     the same as one number, and which acquisitions were right on top of it
//
//   context.cpp   interrupts and handlers
//
//   classes.cpp   nodes of the graph: a class with a subclass; what each was seen doing
//
//   graph.cpp     edges, and the search for strong paths
//
//   check.cpp     the rules, for acquisitions that do bring something new
//
//   report.cpp    reports as events and as text; each once
//
//   switch.cpp    on, off, fork
//
// Whatever changes the tables holds prover_lock, with signals blocked. Who only wants to know whether
// something was seen before reads flags without it: a flag that is seen set was set by somebody who examined
// it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "srcu/lockdep.h"
#include "srcu/platform/atomic.hpp"
#include "srcu/platform/spinlock.hpp"

namespace srcu::lockdep {

using Class = srcu_lockdep_class;
using Point = srcu_lockdep_point;
using Link = srcu_lockdep_link;
using Report = srcu_lockdep_report;

inline constexpr uint32_t kMaxNodes = 1024, kMaxEdges = 16384, kMaxHeld = 48, kMaxLinks = 32;
inline constexpr uint32_t kMaxKeyed = 256;  ///< Classes by address.
inline constexpr uint32_t kMaxChains = 128;  ///< That a thread remembers, for speed.

/// relaxed: flags of which nothing else is read, statistics, and what a thread shares with handlers on it
/// alone.
template <class T>
T peek(const std::atomic<T>& from) {
  return from.load(relaxed);
}
template <class T>
void put(std::atomic<T>& to, T value) {
  to.store(value, relaxed);  // relaxed: as peek()
}

// Usage bits: srcu_lockdep_usage, and the same shifted by one for readers.
inline constexpr uint32_t kIn = SRCU_LOCKDEP_IN_HARDIRQ | SRCU_LOCKDEP_IN_SOFTIRQ;
inline constexpr uint32_t kOn = SRCU_LOCKDEP_HARDIRQS_ON | SRCU_LOCKDEP_SOFTIRQS_ON;
inline constexpr uint32_t kWriters = kIn | kOn, kReaders = kWriters << 1;

inline bool tried(uint32_t how) { return how & SRCU_LOCKDEP_TRY; }
inline bool reads(uint32_t how) { return how & (SRCU_LOCKDEP_READ | SRCU_LOCKDEP_READ_RECURSIVE); }
inline uint32_t for_readers_if(bool reading, uint32_t usage) { return reading ? usage << 1 : usage; }
inline bool recursive(uint32_t how) { return how & SRCU_LOCKDEP_READ_RECURSIVE; }
/// Whether the orders from the locks below one that is held, by way of it, are strong wherever those from itself are. No
/// order leads to what was tried, and one by a recursive read leads no further: then those below have orders of their own.
inline bool passes_orders_on(uint32_t how) { return !tried(how) && !recursive(how); }

// ---- Threads: held.hpp, context.cpp ----

/// Where a thread is, in short: the usage bits that a lock gets when it is taken here, in a handler and by
/// interrupts being on; whose stack of orders goes on; the widest wait type allowed.
struct alignas(4) Situation {
  uint8_t in, on, context, allowed;
};
inline constexpr uint8_t kNmi = 4;  ///< In `context`; below it, 2: hard interrupt, 1: softirq.

/// A lock that is held. `lock` is written last and taken away first; null: being filled, or free.
struct Held {
  std::atomic<const void*> lock;
  Class* lock_class;
  const char* file;
  uint32_t line;
  uint16_t node;  ///< 0: unknown to the graph
  uint8_t subclass, how;
  Situation situation;  ///< When it was taken.
};

}  // namespace srcu::lockdep

/// One thread's state. Written by it and by handlers on it, which leave it as they found it.
struct srcu_lockdep_task {
  std::atomic<uint32_t> epoch;  ///< The start that the rest belongs to.
  std::atomic<uint32_t> busy;   ///< In the prover, with its lock.
  std::atomic<uint32_t> hardirqs_off, softirqs_off, hardirq, threaded, softirq, nmi;
  std::atomic<srcu::lockdep::Situation> situation;  ///< What these come to.
  std::atomic<uint32_t> depth;
  srcu::lockdep::Held held[srcu::lockdep::kMaxHeld];
  /// Of what is held up to a level, the first being nothing; and those that were walked through: chain.hpp.
  std::atomic<uint64_t> chain[srcu::lockdep::kMaxHeld + 1], right[srcu::lockdep::kMaxChains];
};

namespace srcu::lockdep {

using Task = srcu_lockdep_task;

/// An acquisition that is about to be made.
struct Acquisition {
  const void* lock;
  Class* lock_class;
  const void* nest;
  const char* file;
  uint32_t line, usage;
  uint16_t node;
  uint8_t subclass, how;
  Situation situation;
};

inline Point point_of(const Acquisition& a) {
  return {a.lock_class, a.lock, a.file, a.line, a.subclass, a.how};
}
inline Point point_of(const Held& h) {
  return {h.lock_class, peek(h.lock), h.file, h.line, h.subclass, h.how};
}

/// A held lock that is whole, and not dropped while others above it are still held.
inline bool is_held(const Held& held) { return reinterpret_cast<uintptr_t>(peek(held.lock)) > 1; }

inline uint8_t inner_of(const Class& lock_class) {
  return __atomic_load_n(&lock_class.inner, __ATOMIC_RELAXED);  // relaxed: set before use
}
/// The wait type that one must be allowed in order to take a lock of the class.
inline uint8_t needs(const Class& lock_class) {
  const uint8_t inner = inner_of(lock_class);
  return inner && lock_class.outer ? lock_class.outer : inner;
}

// ---- Nodes: classes.cpp ----

struct Node {
  Class* lock_class;
  uint8_t subclass;
  uint16_t first_out, first_in;  ///< Edges.
  std::atomic<uint32_t> known;   ///< Usage that was examined.
  std::atomic<uint32_t> usage;  ///< Of that, what made no report: the graph goes on as if those had not been.
  Point seen[10];               ///< By usage bit: the first.
};
extern Node nodes[kMaxNodes];
extern uint32_t node_count;  ///< And one; node 0 is none.

/// 0 if there is none.
inline uint16_t node_of(const Class& lock_class, unsigned subclass) {
  return __atomic_load_n(&lock_class.node[subclass],
                         __ATOMIC_RELAXED);  // relaxed: a number; its tables are static
}
/// Makes one; 0 if the table is full. The lock is held.
uint16_t make_node(Class& lock_class, unsigned subclass);
void forget_nodes();

// ---- Edges: graph.cpp ----

/// From a lock to one taken under it. A dependency is one of four: `from` held exclusively or shared, `to`
/// waiting for anybody inside or, as a recursive reader, for a writer alone.
struct Edge {
  uint16_t from, to, next_out, next_in;
  std::atomic<uint8_t> known;  ///< Dependencies that were examined, as bits.
  uint8_t used;                ///< Of those, the ones that made no report.
  Link link;
};
extern Edge edges[kMaxEdges];
extern uint32_t edge_count;
extern std::atomic<uint16_t> edge_between[kMaxNodes][kMaxNodes];

inline constexpr uint8_t kExclusive = 1, kNonRecursive = 2;
inline uint8_t dependency(uint32_t from_how, uint32_t to_how) {
  return static_cast<uint8_t>(
      1U << ((reads(from_how) ? 0 : kExclusive) + (recursive(to_how) ? 0 : kNonRecursive)));
}

inline bool edge_known(uint16_t from, uint16_t to, uint8_t dependency) {
  const uint16_t edge = peek(edge_between[from][to]);
  return edge && peek(edges[edge].known) & dependency;
}
/// With `good`, for the search to use. The lock is held.
void add_edge(uint16_t from, uint16_t to, uint8_t dependency, bool good, const Link& link);

enum class Along { kOrder, kAgainstOrder };
/// A node on a strong path from where a search began. `weak`: to go on from here takes the other kind of
/// dependency than the path's last one: no recursive read into a lock that is then held shared.
struct Reached {
  uint16_t node = 0;
  bool weak = false;
};
using Match = bool (*)(const Reached& at, void* argument);
/// A breadth-first search; the first that `match` likes, or node 0. The root itself is asked, too. The lock
/// is held.
Reached search(Reached root, Along along, Match match, void* argument);
/// Appends the last search's path to what it found, in the order of locks; returns how many links there are
/// now.
uint32_t append_path(const Reached& found, Along along, Link* links, uint32_t count);
void forget_edges();
/// They stay in their lists, as nothing to the search, until seen again. The lock is held.
void forget_edges_of(uint16_t node);

// ---- The rules: check.cpp ----

/// Checks all that is new about it, and notes it. The lock is held.
void examine(Task& task, Acquisition& next);
/// Notes that the lock is held in a way that gives it these usage bits. The lock is held.
void examine_usage(const Task& task, uint16_t node, uint32_t usage, const Point& by);
/// For NMIs: any context, no lock.
void check_nmi(const Task& task, const Acquisition& next);

// ---- Reports: report.cpp ----

enum class Finding : uint8_t { kRecursion, kCycle, kState, kInversion, kOrder, kWait, kNmi };

/// True if this was not said before.
bool first_time(Finding finding, uint32_t one, uint32_t other, uint32_t more);
/// Fills in the thread's stack and gives it to the hook.
void deliver(Report& report, Finding finding, const Task& task);
/// IN-HARDIRQ-W and so on.
const char* name_of_usage(uint32_t bit);
void forget_reports();
/// What was said of it, with or without another, may be said again. The lock is held.
void forget_reports_of(uint16_t node);
enum class Table : uint8_t { kNodes, kEdges, kHeld, kKeyed, kReports };
/// Counts what is lost; one line, once for each table.
void table_full(Table table);

struct Counters {
  std::atomic<uint64_t> reports, skipped, unmatched, lost;
};
extern Counters counters;

/// Held for changes, with signals blocked. Not annotated.
extern Spinlock prover_lock;

}  // namespace srcu::lockdep
