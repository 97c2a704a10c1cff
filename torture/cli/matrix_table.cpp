#include "torture/cli/matrix_table.hpp"

#include <fmt/color.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "torture/kernel/cells.hpp"

namespace torture {
namespace {

struct Word {
  const char* text;
  fmt::color color;
  const char* meaning;
};

// What really happened comes first; where all went well, what the prover says about it.
const std::vector<Word>& words() {
  static const std::vector<Word> table = {
      {"ok", fmt::color::green, "ran, and the prover has nothing to say"},
      {"AA", fmt::color::red, "really hung: a lock taken again by its own holder"},
      {"ABBA", fmt::color::red, "really hung: a cycle of waiters"},
      {"hang", fmt::color::red, "really hung, no lock seen to be the reason"},
      {"crash", fmt::color::red, "its process was ended by a signal"},
      {"lost", fmt::color::red, "a callback was lost, or ran twice"},
      {"fail", fmt::color::red, "failed another check"},
      {"cyc", fmt::color::dark_orange, "ran; the prover found a cycle of locks"},
      {"rec", fmt::color::dark_orange, "ran; the prover found a lock, or its class, taken again by its holder"},
      {"wait", fmt::color::dark_orange, "a lock that may sleep where sleeping is forbidden"},
      {"-", fmt::color::gray, "cannot be had: no such lock or drain, or nobody comes there under this strategy"},
  };
  return table;
}

const char* bad_word(const std::string& check) {
  if (check == "self_deadlock") return "AA";
  if (check == "lock_cycle") return "ABBA";
  if (check == "stalled_gp" || check == "no_forward_progress") return "hang";
  if (check == "crash" || check == "use_after_free") return "crash";
  if (check == "lost_callback" || check == "double_callback") return "lost";
  return check == "wait_context" ? "wait" : "fail";
}

const char* proved_word(const std::string& check) {
  if (check == "self_deadlock") return "rec";
  return check == "lock_cycle" ? "cyc" : bad_word(check);
}

const char* word_of(const CellResult& result) {
  const std::string &prover = result.prover.check, &real = result.real.check;
  if (real != "ok" && real != "n/a") return bad_word(real);
  if (prover != "ok" && prover != "n/a") return proved_word(prover);
  return prover == "ok" || real == "ok" ? "ok" : "-";
}

std::string short_name(const std::string& strategy) {
  static const std::map<std::string, std::string> names = {
      {"irq_work", "irq_w"},     {"defer_nmi", "d_nmi"},       {"defer_irqoff", "d_irq"},
      {"nolock:always", "n:all"}, {"nolock:irqs_off", "n:irq"}, {"nolock:in_nmi", "n:nmi"},
      {"nolock:held_lock_table", "n:tbl"}, {"nolock:lock_bit", "n:bit"}, {"bpf_defer", "bpf"},
      {"tasks_trace_legacy", "tt_old"}, {"tasks_trace", "tt"}};
  const auto found = names.find(strategy);
  return found == names.end() ? strategy : found->second;
}

class Table {
 public:
  Table(const std::vector<CellResult>& cells, bool color) : worst_(worst_of_pairs(cells)), color_(color) {
    for (const CellResult* one : worst_) {
      remember(contexts_, one->cell.context);
      remember(strategies_, one->cell.strategy);
    }
  }

  std::string text() const {
    size_t first = 8;
    for (const std::string& context : contexts_) first = std::max(first, context.size() + 1);
    std::string text = fmt::format("{:<{}}", "", first);
    for (const std::string& strategy : strategies_) text += fmt::format("{:<{}}", short_name(strategy), width(strategy));
    text += '\n';
    for (const std::string& context : contexts_) {
      text += fmt::format("{:<{}}", context, first);
      for (const std::string& strategy : strategies_) text += cell(context, strategy);
      text += '\n';
    }
    return text + legend();
  }

 private:
  static void remember(std::vector<std::string>& names, const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  static size_t width(const std::string& strategy) { return std::max<size_t>(7, short_name(strategy).size() + 1); }

  std::string cell(const std::string& context, const std::string& strategy) const {
    for (const CellResult* one : worst_) {
      if (one->cell.context != context || one->cell.strategy != strategy) continue;
      const char* word = word_of(*one);
      const bool contradicts = !one->contradiction().why.empty();
      return painted(fmt::format("{:<{}}", word + std::string(contradicts ? "!" : ""), width(strategy)), word,
                     contradicts);
    }
    return std::string(width(strategy), ' ');
  }

  std::string painted(const std::string& text, const std::string& word, bool contradicts) const {
    if (!color_) return text;
    const auto found = std::ranges::find_if(words(), [&word](const Word& one) { return word == one.text; });
    const auto style = fmt::fg(found->color);
    return fmt::format(contradicts ? style | fmt::emphasis::reverse : style, "{}", text);
  }

  // Only what the table holds.
  std::string legend() const {
    std::string text = "\nThe worst of each pair's cells:\n";
    bool contradicts = false;
    for (const Word& word : words()) {
      const bool used = std::ranges::any_of(
          worst_, [&word](const CellResult* one) { return word_of(*one) == std::string(word.text); });
      if (used) text += fmt::format("  {:<7}{}\n", word.text, word.meaning);
    }
    for (const CellResult* one : worst_) contradicts |= !one->contradiction().why.empty();
    if (contradicts) text += "  !      contradicts the prediction\n";
    for (const std::string& strategy : strategies_)
      if (short_name(strategy) != strategy) text += fmt::format("  {:<7}= {}\n", short_name(strategy), strategy);
    return text;
  }

  std::vector<const CellResult*> worst_;
  bool color_;
  std::vector<std::string> contexts_, strategies_;
};

std::string contradictions(const std::vector<CellResult>& cells) {
  std::string text;
  for (const CellResult& one : cells) {
    const std::string why = one.contradiction().why;
    if (why.empty()) continue;
    text += fmt::format("  {}\n    predicted {}: {}\n    {}\n", cell_words(one.cell), one.predicted, one.because, why);
    if (const std::string file = evidence_file(one); !file.empty()) text += "    evidence: " + file + "\n";
  }
  return text.empty() ? "" : "\nContradictions of what was predicted:\n" + text;
}

}  // namespace

std::string matrix_table(const std::vector<CellResult>& cells, bool color) {
  return Table(cells, color).text() + contradictions(cells);
}

}  // namespace torture
