#include "srcu/core/misuse.hpp"

#ifdef SRCU_DEBUG

#include "srcu/core/name.hpp"
#include "srcu/platform/complain.hpp"
#include "srcu/platform/env.hpp"
#include "srcu/platform/freeze.hpp"

namespace srcu {
namespace {

std::atomic<uint64_t> threads_so_far{0};
thread_local constinit uint64_t this_thread = 0;

// Null for a thread that shares slot 0, of whom nothing is known.
Held* held_by_us(const Usage& usage) {
  take_thread_number();  // nothing would be known, either, of one that has not read yet
  if (!srcu_slot_offset) return nullptr;
  if (this_thread == 0) this_thread = 1 + threads_so_far.fetch_add(1, relaxed);  // relaxed: only a name
  auto& held = const_cast<Held&>(usage.held[srcu_slot_offset / sizeof(srcu_slot)]);
  // relaxed, all: as said there
  if (__atomic_load_n(&held.owner, __ATOMIC_RELAXED) != this_thread) {
    for (int64_t& open : held.open) __atomic_store_n(&open, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&held.owner, this_thread, __ATOMIC_RELAXED);
  }
  return &held;
}

// relaxed, both: our own
int64_t add(Held& held, int rank, int64_t more) { return __atomic_fetch_add(&held.open[rank], more, __ATOMIC_RELAXED); }
int64_t open(const Held& held, int rank) { return __atomic_load_n(&held.open[rank], __ATOMIC_RELAXED); }

uint32_t kind_for(int read_kind) {
  return read_kind == SRCU_READ_FAST          ? SRCU_KIND_FAST
         : read_kind == SRCU_READ_FAST_UPDOWN ? SRCU_KIND_FAST_UPDOWN
                                              : SRCU_KIND_NORMAL;
}

const char* maker_for(int read_kind) {
  return read_kind == SRCU_READ_FAST          ? "DEFINE_SRCU_FAST"
         : read_kind == SRCU_READ_FAST_UPDOWN ? "DEFINE_SRCU_FAST_UPDOWN"
                                              : "DEFINE_SRCU";
}

bool closed_elsewhere(int read_kind) { return read_kind == SRCU_READ_UPDOWN || read_kind == SRCU_READ_FAST_UPDOWN; }

// The heads that wait in any domain, as an open hash table that doubles.
class Heads {
 public:
  // False if it is there already.
  bool add(const rcu_head* head) {
    if (2 * used_ >= size_ && !grow()) return true;
    const rcu_head** const at = find(head);
    if (*at == head) return false;
    *at = head;
    ++used_;
    return true;
  }

  void remove(const rcu_head* head) {
    if (size_ == 0) return;
    const rcu_head** hole = find(head);
    if (!*hole) return;
    --used_;
    // What probing would now miss moves into the hole.
    for (size_t next = (static_cast<size_t>(hole - table_) + 1) & (size_ - 1); table_[next]; next = (next + 1) & (size_ - 1)) {
      const size_t at = static_cast<size_t>(hole - table_);
      const size_t home = place(table_[next]);
      if (((next - home) & (size_ - 1)) < ((next - at) & (size_ - 1))) continue;
      *hole = table_[next];
      hole = &table_[next];
    }
    *hole = nullptr;
  }

 private:
  size_t place(const rcu_head* head) const {
    return (reinterpret_cast<uintptr_t>(head) * 0x9e3779b97f4a7c15ULL >> 20) & (size_ - 1);
  }
  const rcu_head** find(const rcu_head* head) const {
    size_t at = place(head);
    while (table_[at] && table_[at] != head) at = (at + 1) & (size_ - 1);
    return &table_[at];
  }
  bool grow() {
    const Heads old = *this;
    const size_t size = size_ ? 2 * size_ : 4096;
    auto* const table = static_cast<const rcu_head**>(env::map(size * sizeof(rcu_head*)));
    if (!table) return false;
    table_ = table;
    size_ = size;
    for (size_t i = 0; i < old.size_; ++i)
      if (old.table_[i]) *find(old.table_[i]) = old.table_[i];
    if (old.table_) env::unmap(old.table_, old.size_ * sizeof(rcu_head*));
    return true;
  }

  const rcu_head** table_ = nullptr;
  size_t size_ = 0, used_ = 0;
};

Spinlock heads_lock{LockClass::kHeads};
Heads heads;

}  // namespace

void check_reader_kind(Usage& usage, int read_kind) {
  if (kind_for(read_kind) != usage.domain->srcu_kind)
    die("domain %s is read by another kind of reader than it was made for: make it with %s()", Name(usage.domain).text(),
        maker_for(read_kind));
  // With those for handlers, all are. The others of a domain may be mixed.
  const int of_handlers = read_kind == SRCU_READ_NMISAFE;
  int so_far = -1;
  // relaxed, both: nothing is read by it
  if (usage.readers_so_far.compare_exchange_strong(so_far, of_handlers, relaxed, relaxed) || so_far == of_handlers) return;
  die("domain %s is read by srcu_read_lock_nmisafe() and by srcu_read_lock() or srcu_down_read(): use the first for all of "
      "its readers, or for none", Name(usage.domain).text());
}

void note_opened(Usage& usage, uint32_t rank, int read_kind) {
  if (closed_elsewhere(read_kind)) return;
  if (Held* const held = held_by_us(usage)) add(*held, static_cast<int>(rank), 1);
}

void check_closing(Usage& usage, int idx, int read_kind) {
  check_reader_kind(usage, read_kind);
  if (idx != 0 && idx != 1)
    die("unlock in domain %s with token %d, which no lock gave: pass what the lock returned", Name(usage.domain).text(), idx);
  if (closed_elsewhere(read_kind)) {
    // The section to be closed is open all the while, so that it is counted if it is one of these.
    if (open_updown_sections(usage, static_cast<uint32_t>(idx)) > 0) return;
    die("srcu_up_read in domain %s with token %d, but no section by srcu_down_read() has it: close each by the function that "
        "belongs to the one that opened it, once", Name(usage.domain).text(), idx);
  }
  Held* const held = held_by_us(usage);
  if (!held) return;
  if (add(*held, idx, -1) > 0) return;
  if (open(*held, 1 - idx) > 0)
    die("unlock in domain %s with token %d, but this thread's sections have token %d: pass what the lock of that "
        "section returned", Name(usage.domain).text(), idx, 1 - idx);
  die("unlock in domain %s without a lock by this thread: pair them, or use srcu_down_read() and srcu_up_read() where "
      "another thread closes", Name(usage.domain).text());
}

bool maybe_inside(const srcu_struct* ssp) {
  // relaxed: whoever is inside has made the domain
  const auto* usage = reinterpret_cast<const Usage*>(__atomic_load_n(&ssp->srcu_sup, __ATOMIC_RELAXED));
  if (!usage) return false;
  if (sections_in_slot_0 > 0) return true;
  const Held* const held = held_by_us(*usage);
  return held && (open(*held, 0) > 0 || open(*held, 1) > 0);
}

void check_not_inside(Usage& usage, const char* function) {
  if (sections_in_slot_0 > 0 || !maybe_inside(usage.domain)) return;
  die("%s(%s) by a thread that is in a section of that domain: it would wait for itself; close the section before",
      function, Name(usage.domain).text());
}

void check_not_in_callback(Usage& usage, const char* function) {
  if (in_callback())
    die("%s(%s) in a callback: it would wait for itself; call it from another thread", function, Name(usage.domain).text());
}

void check_fork_not_in_callback() {
  if (in_callback())
    die("srcu_before_fork() in a callback: it would wait for that callback's end; fork in another thread");
}

void check_flush_not_in_callback() {
  if (in_callback()) die("bpf_defer_flush() in a callback: it might wait for itself; call it from another thread");
}

void check_not_at_work(const srcu_struct* ssp, const char* function, const Host* host) {
  if (!irqs_off() || host != &native_host) return;
  die("%s(%s) in a signal handler that interrupted the library, or between srcu_before_fork() and what belongs after: "
      "it might wait for a lock that is held below; have a thread call it, later", function, Name(ssp).text());
}

void check_not_moved(const Usage& usage, const srcu_struct* ssp) {
  if (usage.domain == ssp) return;
  die("domain %s at %p was made at %p, and moved: leave it where it is made, or call init_srcu_struct() there", Name(ssp).text(),
      static_cast<const void*>(ssp), static_cast<const void*>(usage.domain));
}

void check_function(const Usage& usage, const rcu_head* head, rcu_callback_t func) {
  if (!func)
    die("call_srcu(%s) of a head (%p) with no function: pass one, which may be empty", Name(usage.domain).text(),
        static_cast<const void*>(head));
}

void check_trace_opening(uint32_t open) {
  if (open >= 64)
    die("rcu_read_lock_trace() inside of 64 sections of its own, which is the limit: use "
        "srcu_read_lock_fast(&rcu_tasks_trace_srcu_struct), and keep its token");
}

void check_trace_closing(uint32_t open) {
  if (open == 0) die("rcu_read_unlock_trace() without rcu_read_lock_trace() by this thread: pair them, on one thread");
}

void check_fresh(const srcu_struct* ssp) {
  const IrqLockedUnlessFrozen locked(registry_lock);
  if (!locked) return;  // a fork holds it, and may wait for our caller
  for (Usage* usage = first_domain(); usage; usage = next_domain(*usage)) {
    if (usage->domain == ssp && !usage->abandoned.load(relaxed))  // relaxed: under the registry's lock
      die("init_srcu_struct(%s) of a domain that is in use: call it once, or after cleanup_srcu_struct()",
          Name(usage->domain).text());
  }
}

void note_staged_twice(const Usage& usage, const rcu_head* head) {
  die("call_srcu(%s) of a head (%p) that still waits for its callback: post it again from the callback at the earliest",
      Name(usage.domain).text(), static_cast<const void*>(head));
}

void note_posted(Usage& usage, const rcu_head* head) {
  const IrqLocked locked(heads_lock);
  if (heads.add(head)) return;
  note_staged_twice(usage, head);
}

void note_invoked(const rcu_head* head) {
  const IrqLocked locked(heads_lock);
  heads.remove(head);
}

}  // namespace srcu

#endif
