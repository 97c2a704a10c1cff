// Reports: each once, as an event for the hook, and as text.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "srcu/lockdep/lockdep.hpp"
#include "srcu/platform/complain.hpp"

namespace srcu::lockdep {

Counters counters;

namespace {

struct Kind {
  const char *check, *headline;
};
// By Finding.
constexpr Kind kinds[] = {
    {"lock_recursion", "possible recursive locking detected"},
    {"lock_cycle", "possible circular locking dependency detected"},
    {"irq_inversion", "inconsistent lock state"},
    {"irq_inversion", "possible irq lock inversion dependency detected"},
    {"irq_inversion", "SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected"},
    {"wait_context", "Invalid wait context"},
    {"nmi", "inconsistent lock state"},
};

constexpr uint32_t kMaxReports = 4096;
/// By a hash; 0: never used.
std::atomic<uint64_t> reported[kMaxReports];
constexpr uint64_t kForgotten = 1;  ///< No key: who looks for one goes on, who needs a place takes it.

constexpr struct {
  const char* what;
  uint32_t size;
} tables[] = {{"classes and subclasses", kMaxNodes},
              {"orders", kMaxEdges},
              {"locks held by one thread", kMaxHeld},
              {"classes of objects", kMaxKeyed},
              {"different reports", kMaxReports}};
std::atomic<uint32_t> tables_told{0};

/// snprintf(), piece by piece.
class Text {
 public:
  Text(char* text, size_t size) : text_(text), size_(size) {
    if (size_) *text_ = '\0';
  }
  [[gnu::format(printf, 2, 3)]] void add(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const size_t left = length_ < size_ ? size_ - length_ : 0;
    const int added = vsnprintf(left ? text_ + length_ : nullptr, left, format, arguments);
    va_end(arguments);
    if (added > 0) length_ += static_cast<size_t>(added);
  }
  void add_lock(const Point& at) {
    static constexpr const char* hows[] = {"", " to read", " to read recursively"};
    const auto& lock_class = *at.lock_class;
    add("%s", lock_class.name);
    if (at.subclass) add("/%u", at.subclass);
    add(" {%u:%u}%s%s, at %s", needs(lock_class), inner_of(lock_class), tried(at.how) ? " by trylock" : "",
        hows[at.how & 3U], at.file);
    if (at.line) add(":%u", at.line);
  }
  int length() const { return static_cast<int>(length_); }

 private:
  char* const text_;
  const size_t size_;
  size_t length_ = 0;
};

void add_use(Text& text, const char* which, const Point& at) {
  if (!at.lock_class) return;
  text.add("%s:\n  ", which);
  text.add_lock(at);
  text.add("\n");
}

void print(const Report* report, void*) {
  const int kept = errno;
  char text[4096];
  const int length = srcu_lockdep_format(report, text, sizeof text);
  const size_t shown =
      static_cast<size_t>(length) < sizeof text ? static_cast<size_t>(length) : sizeof text - 1;
  syscall(SYS_write, STDERR_FILENO, text, shown);  // not write(), which is a cancellation point
  errno = kept;
}

/// The key's place, or the first that could be; null if there is none.
std::atomic<uint64_t>* place_of_report(uint64_t key) {
  std::atomic<uint64_t>* free = nullptr;
  size_t at = (key * 0x9E3779B97F4A7C15U) >> 52;
  static_assert(kMaxReports == 1U << 12);
  for (uint32_t tries = 0; tries < kMaxReports; ++tries, at = (at + 1) % kMaxReports) {
    const uint64_t found = peek(reported[at]);
    if (found == key) return &reported[at];
    if (!free && found <= kForgotten) free = &reported[at];
    if (!found) break;
  }
  return free;
}

struct Hook {
  srcu_lockdep_hook call;
  void* argument;
};
constexpr Hook printing = {print, nullptr};
Hook users_hook;
std::atomic<const Hook*> hook{&printing};

}  // namespace

bool first_time(Finding finding, uint32_t one, uint32_t other, uint32_t more) {
  const uint64_t key =
      (uint64_t{static_cast<uint8_t>(finding)} + 1) << 48 | uint64_t{more} << 32 | one << 16 | other;
  for (;;) {
    std::atomic<uint64_t>* const place = place_of_report(key);
    if (!place) return table_full(Table::kReports), false;
    uint64_t found = peek(*place);
    if (found == key) return false;
    // relaxed: a set of numbers. An NMI may be here, too
    if (found <= kForgotten && place->compare_exchange_strong(found, key, relaxed, relaxed)) return true;
  }
}

void forget_reports_of(uint16_t node) {
  if (peek(counters.reports) == 0) return;
  for (auto& key : reported)
    if (const uint64_t found = peek(key);
        found > kForgotten && (static_cast<uint16_t>(found) == node || static_cast<uint16_t>(found >> 16) == node))
      put(key, kForgotten);
}

void deliver(Report& report, Finding finding, const Task& task) {
  const Kind& kind = kinds[static_cast<size_t>(finding)];
  Point stack[kMaxHeld];
  report.check = kind.check;
  if (!report.headline) report.headline = kind.headline;
  if (!report.detail) report.detail = "";
  report.stack = stack;
  for (uint32_t i = 0; i < peek(task.depth); ++i)
    if (is_held(task.held[i])) stack[report.stacked++] = point_of(task.held[i]);
  counters.reports.fetch_add(1, relaxed);             // relaxed: a statistic
  const Hook& called = *hook.load(acquire(Ord::V2));  // ORD(V2): pairs with V1: the hook's argument
  called.call(&report, called.argument);
}

const char* name_of_usage(uint32_t bit) {
  static constexpr const char* names[] = {"IN-HARDIRQ-W", "IN-HARDIRQ-R",    "HARDIRQ-ON-W", "HARDIRQ-ON-R",
                                          "IN-SOFTIRQ-W", "IN-SOFTIRQ-R",    "SOFTIRQ-ON-W", "SOFTIRQ-ON-R",
                                          "INITIAL USE",  "INITIAL READ USE"};
  return names[__builtin_ctz(bit)];
}

void table_full(Table table) {
  counters.lost.fetch_add(1, relaxed);  // relaxed: a statistic
  const uint32_t bit = 1U << static_cast<uint8_t>(table);
  if (tables_told.fetch_or(bit, relaxed) & bit) return;  // relaxed: once
  const auto& full = tables[static_cast<size_t>(table)];
  complain("lockdep: no room for more than %u %s: what is new from here on is not proved right", full.size,
           full.what);
}

void forget_reports() {
  for (auto& key : reported) put(key, uint64_t{0});
  for (auto* counter : {&counters.reports, &counters.skipped, &counters.unmatched, &counters.lost})
    put(*counter, uint64_t{0});
  put(tables_told, 0U);
}

}  // namespace srcu::lockdep

extern "C" {

using namespace srcu::lockdep;

void srcu_lockdep_set_hook(srcu_lockdep_hook call, void* argument) {
  users_hook = {call, argument};
  // ORD(V1): pairs with V2.
  hook.store(call ? &users_hook : &printing, srcu::release(srcu::Ord::V1));
}

srcu_lockdep_stats srcu_lockdep_get_stats() {
  return {peek(counters.reports), peek(counters.skipped), peek(counters.unmatched),
          peek(counters.lost),    node_count - 1,         edge_count - 1};
}

int srcu_lockdep_format(const srcu_lockdep_report* report, char* out, size_t size) {
  Text text(out, size);
  text.add("======== WARNING: %s ========\n", report->headline);
  if (*report->detail) text.add("inconsistent use: %s\n", report->detail);
  add_use(text, "this thread takes, or holds", report->taken);
  add_use(text, "while it holds", report->held);
  add_use(text, "used in a handler", report->safe);
  add_use(text, "used with interrupts on", report->unsafe);
  if (report->links) text.add("the orders that make it so:\n");
  for (uint32_t i = 0; i < report->links; ++i) {
    text.add("  under ");
    text.add_lock(report->chain[i].from);
    text.add("\n    then ");
    text.add_lock(report->chain[i].to);
    text.add("\n");
  }
  text.add(report->stacked ? "held by this thread, oldest first:\n" : "this thread holds no lock\n");
  for (uint32_t i = 0; i < report->stacked; ++i) {
    text.add("  #%u ", i);
    text.add_lock(report->stack[i]);
    text.add("\n");
  }
  return text.length();
}

int srcu_lockdep_describe(const srcu_lockdep_task* task, char* out, size_t size) {
  Text text(out, size);
  for (uint32_t i = 0; i < peek(task->depth) && i < kMaxHeld; ++i) {
    if (!is_held(task->held[i]) || !task->held[i].lock_class) continue;
    text.add("  #%u ", i);
    text.add_lock(point_of(task->held[i]));
    text.add("\n");
  }
  return text.length();
}

}  // extern "C"
