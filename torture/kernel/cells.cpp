#include "torture/kernel/cells.hpp"

#include <fmt/format.h>

#include "torture/kernel/context.hpp"
#include "torture/kernel/strategies.hpp"

namespace torture {
namespace {

// A tracepoint stands where it stands: of its dimensions only pace and kernel are ours to choose.
bool has_instances(const std::string& context) {
  const kernel::Context* known = kernel::find_context(context);
  return known && known->by_instance;
}
bool has_domains(const std::string& context) {
  const kernel::Context* known = kernel::find_context(context);
  return known && known->by_domain;
}

bool is_quick(const Cell& cell) {
  if (cell.preempt_rt) return false;
  if (cell.strategy == "direct") return cell.pace == "expedited";
  const bool nearest = cell.instance == "own" && cell.domain == "same";
  return nearest && (cell.pace == "expedited" || cell.strategy == "rc4");
}

}  // namespace

std::vector<std::string> cell_context_names() {
  std::vector<std::string> names;
  for (const kernel::Context& context : kernel::contexts()) names.emplace_back(context.name);
  return names;
}

std::vector<std::string> cell_strategy_names() {
  std::vector<std::string> names;
  for (const auto& [name, sentence] : strategies()) names.emplace_back(name);
  return names;
}

bool is_tracepoint_context(const std::string& context) { return context.starts_with("tp:"); }
std::string tracepoint_pattern(const std::string& context) { return context.substr(std::string("tp:").size()); }

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
