#include "torture/kernel/deadlock.hpp"

#include <cstdint>
#include <cstdio>

#include "srcu/lockdep/lockdep.hpp"
#include "srcu/platform/complain.hpp"
#include "srcu/platform/env.hpp"
#include "torture/kernel/fault.hpp"
#include "torture/kernel/lock.hpp"

namespace torture::kernel {
namespace {

using srcu::lockdep::peek;

// 64 CPUs with three threads each, the locked callers, and all torture threads, of which a thousand may be visitors.
constexpr unsigned kMost = 2048;

struct Entry {
  std::atomic<bool> taken;
  std::atomic<srcu_lockdep_task*> task;  // null: not filled in yet
  const char* name;
  std::atomic<const void*> waits_for;
};
Entry members[kMost];

thread_local Entry* self = nullptr;

/// Whoever reads members' stacks, which are their threads'. Who leaves waits until nobody does.
std::atomic<unsigned> lookers{0};
class Looking {
 public:
  Looking() { lookers.fetch_add(1, std::memory_order_seq_cst); }  // before the look: pairs with ~Member()
  ~Looking() { lookers.fetch_sub(1, std::memory_order_release); }
  Looking(const Looking&) = delete;
  Looking& operator=(const Looking&) = delete;
};

/// How often a task's stack names the lock, as held or as waited for. Not what is no lock but shown to the prover as one,
/// to be read, perhaps at the same address: sections, callbacks.
unsigned times_on_stack(const srcu_lockdep_task& task, const void* lock) {
  unsigned times = 0;
  for (uint32_t i = 0; i < peek(task.depth); ++i)
    times += peek(task.held[i].lock) == lock && !srcu::lockdep::reads(task.held[i].how);
  return times;
}

// A waiter has the lock on its stack, too: once more than it holds it.
bool holds(const Entry& entry, const void* lock) {
  const srcu_lockdep_task* task = entry.task.load(std::memory_order_seq_cst);  // pairs with Member(), and ~Member()
  if (!task) return false;
  const bool waits = entry.waits_for.load(std::memory_order_relaxed) == lock;  // relaxed: looked at twice, see below
  return times_on_stack(*task, lock) > (waits ? 1U : 0U);
}

Entry* holder_of(const void* lock) {
  for (Entry& entry : members)
    if (holds(entry, lock)) return &entry;
  return nullptr;
}

/// The ring that the calling thread's wait closes, as indices of members; 0 if there is none.
unsigned ring(const void* lock, uint16_t* who) {
  const Looking looking;
  unsigned count = 0;
  for (const void* wanted = lock; wanted && count < kMost;) {
    Entry* const holder = holder_of(wanted);
    if (!holder) return 0;
    who[count++] = static_cast<uint16_t>(holder - members);
    if (holder == self) return count;
    wanted = holder->waits_for.load(std::memory_order_relaxed);  // relaxed: looked at twice
  }
  return 0;
}

void report(const uint16_t* who, unsigned count) {
  char headline[sizeof(Fault::headline)], text[sizeof(Fault::text)];
  int used = count == 1 ? snprintf(headline, sizeof headline, "%s waits for a lock that it holds itself", self->name)
                        : snprintf(headline, sizeof headline, "%u threads wait for each other:", count);
  for (unsigned i = 0; count > 1 && i < count && used < static_cast<int>(sizeof headline); ++i)
    used += snprintf(headline + used, sizeof headline - used, " %s%s", members[who[i]].name, i + 1 < count ? "," : "");
  describe_members(text, sizeof text);
  note_fault(count == 1 ? "self_deadlock" : "lock_cycle", headline, text, true);
}

// In a deadlock nothing moves: a ring that is there twice, a while apart, is one.
void waits(const void* lock) {
  if (!self) return;
  self->waits_for.store(lock, std::memory_order_relaxed);  // relaxed: looked at twice
  uint16_t who[kMost], again[kMost];
  const unsigned count = ring(lock, who);
  if (count == 0) return;
  srcu::env::sleep_ns(1'000'000);
  if (ring(lock, again) != count) return;
  for (unsigned i = 0; i < count; ++i)
    if (who[i] != again[i]) return;
  report(who, count);
  for (;;) srcu::env::sleep_ns(1'000'000'000);  // whoever was told of it ends the process
}

void had(const void*) {
  if (self) self->waits_for.store(nullptr, std::memory_order_relaxed);  // relaxed: as above
}

}  // namespace

constinit const srcu::LockWatch watch_for_deadlocks{srcu_lock_taken, waits, had};

Member::Member(const char* name) {
  if (self) return;
  for (own_ = 0; own_ < static_cast<int>(kMost); ++own_)
    if (!members[own_].taken.exchange(true, std::memory_order_acquire)) break;  // pairs with ~Member()
  if (own_ == kMost) srcu::die("the model has room for %u threads", kMost);
  self = &members[own_];
  self->name = name;
  self->task.store(srcu_lockdep_self(), std::memory_order_release);  // pairs with holds() and describe_members(): the name
}

Member::~Member() {
  if (own_ < 0) return;
  self->task.store(nullptr, std::memory_order_seq_cst);
  // Who came before sees the task, and is counted; who comes later sees none.
  while (lookers.load(std::memory_order_seq_cst) != 0) srcu::env::sleep_ns(10'000);
  self->taken.store(false, std::memory_order_release);   // pairs with Member()
  self = nullptr;
}

int describe_members(char* text, unsigned size) {
  const Looking looking;
  int used = 0;
  const auto room = [&] { return used < static_cast<int>(size) ? size - used : 0U; };
  for (const Entry& entry : members) {
    const srcu_lockdep_task* task = entry.task.load(std::memory_order_seq_cst);  // as in holds()
    if (!task || room() == 0) continue;
    const bool waits = entry.waits_for.load(std::memory_order_relaxed) != nullptr;  // relaxed: a note
    used += snprintf(text + used, room(), "%s holds%s:\n", entry.name, waits ? ", and waits for the last of" : "");
    if (room() != 0) used += srcu_lockdep_describe(task, text + used, room());
  }
  return used;
}

}  // namespace torture::kernel
