#include "torture/kernel/tests/engine/subjects.hpp"

#include <algorithm>

#include "torture/kernel/cells.hpp"
#include "torture/kernel/context.hpp"
#include "torture/kernel/predictions.hpp"

namespace torture {
namespace {

std::string name_of(const Cell& cell) {
  const kernel::Context& context = *kernel::find_context(cell.context);
  std::string name = cell.context + "/" + cell.strategy;
  std::replace(name.begin(), name.end(), ':', '.');
  if (context.by_instance) name += "/" + cell.instance;
  if (context.by_domain) name += cell.domain == "same" ? "/same" : "/other_domain";
  return name + "/" + cell.pace;
}

/// One that hangs by itself is left alone, to show that it does, unless its rule says why it is rare: that takes somebody else.
bool with_load(const Prediction& rule) { return rule.predicted != "deadlock" || !rule.rare.empty(); }

/// These NMIs hit holders of the scheduler's locks, none of which such a post takes; that others hang is for nmi_anywhere.
bool proved_alone(const Cell& cell) {
  return cell.context == "nmi" && (cell.strategy == "irq_work" || (cell.strategy == "tasks_trace_legacy" && cell.instance == "other"));
}

std::string sentence_of(const Prediction& rule) { return rule.predicted + ": " + rule.because; }

/// What these NMIs hit is a post, which takes the host's locks only while it holds SRCU's: the row nmi_in_call_srcu, where it has a cell.
const Prediction& rule_of_hit_post(const Predictions& predictions, Cell cell, const Prediction& of_nmi) {
  cell.context = "nmi_in_call_srcu";
  const Prediction* const rule = predictions.of(cell);
  return rule && rule->predicted != "n/a" ? *rule : of_nmi;
}

std::vector<Subject> read_subjects() {
  const Predictions predictions(SRCUTORTURE_PREDICTIONS);
  std::vector<Subject> found;
  for (const std::string& context : cell_context_names())
    for (const std::string& strategy : cell_strategy_names())
      for (const Cell& cell : cells_of(context, strategy)) {
        const Prediction* rule = predictions.of(cell);
        if (!rule || rule->predicted == "n/a" || cell.preempt_rt) continue;  // its locks are raw: they are the same there
        if (!proved_alone(cell)) found.push_back({name_of(cell), sentence_of(*rule), cell, false, with_load(*rule)});
        if (context != "nmi" || cell.instance != "own" || cell.pace != "normal") continue;
        std::string name = "nmi_anywhere/" + strategy;
        std::replace(name.begin(), name.end(), ':', '.');
        found.push_back({name, sentence_of(rule_of_hit_post(predictions, cell, *rule)), cell, true, false});
      }
  return found;
}

}  // namespace

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> all = read_subjects();
  return all;
}

const Subject& subject_of(const char* test_name) {
  return *std::find_if(subjects().begin(), subjects().end(), [&](const Subject& one) { return one.name == test_name; });
}

}  // namespace torture
