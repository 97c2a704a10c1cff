#include "torture/kernel/cells.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torture {
namespace {

const CellContext* find_context(const std::string& name) {
  const auto& all = cell_contexts();
  const auto found = std::ranges::find_if(all, [&name](const CellContext& one) { return name == one.name; });
  return found == all.end() ? nullptr : &*found;
}

// A tracepoint stands where it stands: of its dimensions only pace and kernel are ours to choose.
bool has_instances(const std::string& context) {
  const CellContext* known = find_context(context);
  return known && known->instances;
}
bool has_domains(const std::string& context) {
  const CellContext* known = find_context(context);
  return known && known->domains;
}

template <class Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const auto& one : table) names.emplace_back(one.name);
  return names;
}

bool is_quick(const Cell& cell) {
  if (cell.preempt_rt) return false;
  if (cell.strategy == "direct") return cell.pace == "expedited";
  const bool nearest = cell.instance == "own" && cell.domain == "same";
  return nearest && (cell.pace == "expedited" || cell.strategy == "rc4");
}

}  // namespace

const std::vector<CellContext>& cell_contexts() {
  static const std::vector<CellContext> table = {
      {"none", false, false, "an ordinary thread that holds nothing"},
      {"preempt_off", false, false, "preemption is off"},
      {"irqs_off", false, false, "interrupts are off"},
      {"raw_lock", false, false, "a raw spinlock that nobody else nests is held, interrupts on"},
      {"rq_lock", true, false, "a CPU's rq->lock is held, as by sched_ext's callers"},
      {"pi_lock", true, false, "the pi_lock of a CPU's worker is held"},
      {"timer_base_lock", true, false, "a CPU's timer base is locked"},
      {"pool_lock", true, false, "a CPU's worker pool is locked"},
      {"sdp_lock", false, true, "SRCU's own lock of the callback list is held: a probe inside call_srcu()"},
      {"snp_lock", false, false, "the lock of a node of SRCU's tree is held"},
      {"sup_lock", false, true, "SRCU's own lock of the update side is held: a probe inside call_srcu()"},
      {"hardirq", false, false, "a hard interrupt's handler"},
      {"softirq_timer", false, false, "a timer's function"},
      {"nmi", false, false, "an NMI that interrupted whatever runs"},
      {"nmi_in_call_srcu", false, true, "an NMI that interrupted the holder of sdp or sup"},
      {"srcu_reader", false, true, "inside an SRCU read-side section"},
      {"srcu_callback", false, true, "inside an SRCU callback"},
      {"deferral_drain", false, true, "inside the drain of staged posts: a probe there"},
      {"malloc", false, false, "the memory allocator's lock is held"},
  };
  return table;
}

const std::vector<CellStrategy>& cell_strategies() {
  static const std::vector<CellStrategy> table = {
      {"direct", "queues the work at once, under SRCU's lock: the path of the second bug"},
      {"rc4", "what v7.0-rc4 did: at once if an expedited grace period is pending, else by a timer"},
      {"delayed", "just uses queue_delayed_work() with a delay > 0"},
      {"irq_work", "an intermediate irq_work starts process_srcu(): v7.0"},
      {"defer_nmi", "in an NMI a lockless list and an irq_work, otherwise an irq_work"},
      {"defer_irqoff", "call_srcu() locklessly defers itself whenever interrupts are off, or in an NMI"},
      {"nolock:always", "call_srcu_nolock(), which always defers"},
      {"nolock:irqs_off",
       "call_srcu_nolock(), which calls call_srcu() directly unless interrupts are off; also: nolock"},
      {"nolock:in_nmi", "call_srcu_nolock(), which calls call_srcu() directly unless in an NMI"},
      {"nolock:held_lock_table",
       "call_srcu_nolock(), which looks in a held-lock table for every lock that call_srcu() reaches"},
      {"nolock:lock_bit", "call_srcu_nolock(), which tests the locked bit of SRCU's locks"},
      {"bpf_defer", "bpf_defer(call_srcu, ...): the caller hands any function to one lockless defer queue"},
      {"tasks_trace_legacy", "call_rcu_tasks_trace() before 7.0: an irq_work, and mod_timer() under its own lock"},
      {"tasks_trace", "call_rcu_tasks_trace() on SRCU-fast, over defer_irqoff"},
  };
  return table;
}

std::vector<std::string> cell_context_names() { return names_of(cell_contexts()); }
std::vector<std::string> cell_strategy_names() { return names_of(cell_strategies()); }

bool is_tracepoint_context(const std::string& context) { return context.starts_with("tp:"); }

std::vector<Cell> cells_of(const std::string& context, const std::string& strategy) {
  std::vector<Cell> cells;
  for (const char* instance : {"own", "other"}) {
    if (instance != std::string("own") && !has_instances(context)) continue;
    for (const char* domain : {"same", "other"}) {
      if (domain != std::string("same") && !has_domains(context)) continue;
      for (const char* pace : {"normal", "expedited"})
        for (const bool preempt_rt : {false, true})
          cells.push_back({context, strategy, instance, domain, pace, preempt_rt});
    }
  }
  return cells;
}

std::vector<Cell> quick_cells_of(const std::string& context, const std::string& strategy) {
  std::vector<Cell> cells = cells_of(context, strategy);
  std::erase_if(cells, [](const Cell& cell) { return !is_quick(cell); });
  return cells;
}

std::string cell_words(const Cell& cell) {
  std::string words = fmt::format("{} x {}", cell.context, cell.strategy);
  if (has_instances(cell.context))
    words += cell.instance == "own" ? ", its own CPU's lock" : ", another CPU's lock";
  if (has_domains(cell.context)) words += cell.domain == "same" ? ", same domain" : ", other domain";
  return words + ", " + cell.pace + (cell.preempt_rt ? ", PREEMPT_RT" : "");
}

std::string cell_file_name(const Cell& cell) {
  std::string name = fmt::format("{}.{}.{}.{}.{}{}", cell.context, cell.strategy, cell.instance, cell.domain,
                                 cell.pace, cell.preempt_rt ? ".rt" : "");
  // A tracepoint's pattern may hold anything.
  for (char& c : name)
    if (!isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_') c = '-';
  return name;
}

}  // namespace torture
