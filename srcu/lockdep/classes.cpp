// Nodes of the graph, and the classes that the library brings along.
#include <errno.h>

#include "srcu/lockdep/held.hpp"
#include "srcu/platform/proved.hpp"

namespace srcu {

constinit srcu_lockdep_class own_lock_classes[] = {
    SRCU_LOCKDEP_CLASS("srcu_data.lock", SRCU_LOCKDEP_SPIN),
    SRCU_LOCKDEP_CLASS("srcu_usage.lock", SRCU_LOCKDEP_SPIN),
    SRCU_LOCKDEP_CLASS("srcu_host.lock", SRCU_LOCKDEP_SPIN),
    SRCU_LOCKDEP_CLASS("srcu_registry.lock", SRCU_LOCKDEP_SPIN),
    SRCU_LOCKDEP_CLASS("srcu_heads.lock", SRCU_LOCKDEP_SPIN),
    SRCU_LOCKDEP_CLASS("srcu_fork.lock", SRCU_LOCKDEP_SLEEP),  // helpers are waited for under it
    SRCU_LOCKDEP_CLASS("rtpcp.lock", SRCU_LOCKDEP_SPIN),
};

const LockWatch* lock_watch = nullptr;

}  // namespace srcu

namespace srcu::lockdep {

Node nodes[kMaxNodes];
uint32_t node_count = 1;
std::atomic<uint64_t> memory_of_chains{0};

namespace {

struct KeyedClass {
  std::atomic<const void*> key;
  Class lock_class;
};
KeyedClass keyed[kMaxKeyed];
const void* const kForgotten = keyed;  ///< A key: who looks for another goes on, who needs a place takes it.

size_t place_of(const void* key) { return (reinterpret_cast<uintptr_t>(key) * 0x9E3779B97F4A7C15U) >> 56; }
static_assert(kMaxKeyed == 1U << 8);

/// Places where the key may be, in order, as long as `go_on` says so of what is there.
template <class GoOn>
void each_place_of(const void* key, GoOn go_on) {
  for (size_t tries = 0, at = place_of(key); tries < kMaxKeyed && go_on(keyed[at], peek(keyed[at].key)); ++tries) at = (at + 1) % kMaxKeyed;
}

/// The key's place, or the first that could be.
KeyedClass* find_or_free(const void* key) {
  KeyedClass *mine = nullptr, *free = nullptr;
  each_place_of(key, [&](KeyedClass& place, const void* found) {
    if (found == key) mine = &place;
    if (!free && (!found || found == kForgotten)) free = &place;
    return found && !mine;
  });
  return mine ? mine : free;
}

/// Null if the table is full. Two threads that make a key at a time may, if another key is forgotten meanwhile, make two
/// places: one of them then knows what one of the threads did once.
KeyedClass* place_for(const void* key) {
  while (KeyedClass* const place = find_or_free(key)) {
    const void* found = peek(place->key);
    if (found == key) return place;
    // relaxed: the members of the class are the same whoever writes them
    if ((!found || found == kForgotten) && place->key.compare_exchange_strong(found, key, srcu::relaxed, srcu::relaxed)) return place;
  }
  return nullptr;
}

// relaxed: before use
void set_inner(Class& lock_class, srcu_lockdep_wait inner) {
  __atomic_store_n(&lock_class.inner, static_cast<uint8_t>(inner), __ATOMIC_RELAXED);
}

bool noted(const Class& lock_class) {
  for (unsigned subclass = 0; subclass < SRCU_LOCKDEP_SUBCLASSES; ++subclass)
    if (node_of(lock_class, subclass)) return true;
  return false;
}

/// The lock is held.
void forget_seen_of(const Class& lock_class) {
  for (unsigned subclass = 0; subclass < SRCU_LOCKDEP_SUBCLASSES; ++subclass) {
    const uint16_t node = node_of(lock_class, subclass);
    if (!node) continue;
    forget_edges_of(node);
    forget_reports_of(node);
    put(nodes[node].known, 0U);
    put(nodes[node].usage, 0U);
    forget_chains();
  }
}

}  // namespace

uint16_t make_node(Class& lock_class, unsigned subclass) {
  if (const uint16_t made = node_of(lock_class, subclass)) return made;
  if (node_count == kMaxNodes) return table_full(Table::kNodes), uint16_t{0};
  const auto fresh = static_cast<uint16_t>(node_count++);
  nodes[fresh].lock_class = &lock_class;
  nodes[fresh].subclass = static_cast<uint8_t>(subclass);
  __atomic_store_n(&lock_class.node[subclass], fresh, __ATOMIC_RELAXED);  // relaxed: as in node_of()
  return fresh;
}

void forget_nodes() {
  for (uint32_t i = 1; i < node_count; ++i) {
    Node& node = nodes[i];
    __atomic_store_n(&node.lock_class->node[node.subclass], 0, __ATOMIC_RELAXED);  // relaxed: as in node_of()
    node.first_out = node.first_in = 0;
    put(node.known, 0U);
    put(node.usage, 0U);
  }
  node_count = 1;
}

}  // namespace srcu::lockdep

extern "C" {

using namespace srcu::lockdep;

srcu_lockdep_class* srcu_lockdep_class_of(const void* key, const char* name, srcu_lockdep_wait inner) {
  KeyedClass* const place = place_for(key);
  if (!place) return table_full(Table::kKeyed), nullptr;
  Class& lock_class = place->lock_class;
  // ORD(V2): pairs with V1: whoever sees the name sees the rest. Several may write it, the same.
  if (__atomic_load_n(&lock_class.name, __ATOMIC_ACQUIRE) == name && inner_of(lock_class) == inner) return &lock_class;
  set_inner(lock_class, inner);
  forget_chains();
  __atomic_store_n(&lock_class.name, name, __ATOMIC_RELEASE);  // ORD(V1): pairs with V2
  return &lock_class;
}

void srcu_lockdep_forget(const void* key) {
  const Examination examination(own_task, true);
  if (!examination.entered()) return;
  each_place_of(key, [key](KeyedClass& place, const void* found) {
    if (found == key) {
      forget_seen_of(place.lock_class);
      put(place.key, kForgotten);
    }
    return found != nullptr;
  });
}

int srcu_lockdep_set_own_wait(srcu_lockdep_wait inner) {
  using srcu::LockClass;
  for (const Class& own : srcu::own_lock_classes)
    if (noted(own)) return -EBUSY;
  for (const LockClass raw : {LockClass::kData, LockClass::kUsage})
    set_inner(srcu::own_lock_classes[static_cast<size_t>(raw)], inner);
  return 0;
}

uint32_t srcu_lockdep_usage_of(const srcu_lockdep_class* lock_class, unsigned subclass) {
  return peek(nodes[node_of(*lock_class, subclass)].known);
}

}  // extern "C"
