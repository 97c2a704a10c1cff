#include "torture/kernel/predictions.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "harness/base/errors.hpp"
#include "harness/base/nearest.hpp"
#include "torture/kernel/agreement.hpp"
#include "torture/kernel/cells.hpp"

namespace torture {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

[[noreturn]] void refuse(const fs::path& file, const toml::source_region& where, const std::string& words) {
  throw harness::UsageError(
      fmt::format("{}:{}:{}: {}", file.string(), where.begin.line, where.begin.column, words));
}

const Names& keys() {
  static const Names names = {"context", "strategy", "instance", "domain", "pace", "preempt_rt"};
  return names;
}

std::string value_of(const Cell& cell, const std::string& key) {
  if (key == "context") return cell.context;
  if (key == "strategy") return cell.strategy;
  if (key == "instance") return cell.instance;
  if (key == "domain") return cell.domain;
  if (key == "pace") return cell.pace;
  return cell.preempt_rt ? "true" : "false";
}

Names values_known(const std::string& key) {
  if (key == "context") return cell_context_names();
  if (key == "strategy") return cell_strategy_names();
  if (key == "instance") return {"own", "other"};
  if (key == "domain") return {"same", "other"};
  if (key == "pace") return {"normal", "expedited"};
  return {"false", "true"};
}

bool fits(const std::string& pattern, const std::string& value) {
  return pattern.ends_with('*') ? value.starts_with(pattern.substr(0, pattern.size() - 1)) : pattern == value;
}

/// Reads one file, and names the place of what is wrong.
class Reader {
 public:
  explicit Reader(fs::path file) : file_(std::move(file)) {}

  std::vector<Prediction> read() {
    const toml::table table = parse();
    const toml::node* schema = table.get("schema");
    if (!schema || schema->value<int64_t>() != 1)
      refuse(file_, schema ? schema->source() : table.source(), "write schema = 1: this program knows no other");
    const toml::node* rules = table.get("rule");
    if (!rules || !rules->is_array_of_tables())
      refuse(file_, rules ? rules->source() : table.source(), "no rules: write [[rule]] tables");
    for (const auto& [key, node] : table)
      if (key != "schema" && key != "rule") refuse_key(key, {"schema", "rule"});
    std::vector<Prediction> read;
    for (const toml::node& rule : *rules->as_array()) read.push_back(rule_of(*rule.as_table()));
    return read;
  }

 private:
  toml::table parse() {
    try {
      return toml::parse_file(file_.string());
    } catch (const toml::parse_error& error) {
      refuse(file_, error.source(), std::string(error.description()));
    }
  }

  [[noreturn]] void refuse_key(const toml::key& key, const Names& known) {
    const std::string name(key.str());
    refuse(file_, key.source(), fmt::format("no key '{}'{}", name, harness::did_you_mean(name, known)));
  }

  Prediction rule_of(const toml::table& table) {
    Prediction rule{.line = table.source().begin.line};
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (std::ranges::find(keys(), name) != keys().end()) {
        rule.match.emplace_back(name, patterns(name, node));
      } else if (std::string* text = text_of(rule, name)) {
        *text = word(node);
      } else {
        Names known = keys();
        known.insert(known.end(), {"predicted", "because", "facts", "revised", "rare"});
        refuse_key(key, known);
      }
    }
    for (const char* needed : {"predicted", "because", "facts"})
      if (text_of(rule, needed)->empty())
        refuse(file_, table.source(), fmt::format("a rule needs '{}'", needed));
    check_name(rule.predicted, prediction_words(), *table.get("predicted"));
    if (const toml::node* rare = table.get("rare")) check_rare(rule, *rare);
    return rule;
  }

  static std::string* text_of(Prediction& rule, const std::string& key) {
    if (key == "predicted") return &rule.predicted;
    if (key == "because") return &rule.because;
    if (key == "facts") return &rule.facts;
    if (key == "rare") return &rule.rare;
    return key == "revised" ? &rule.revised : nullptr;
  }

  std::string word(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
    refuse(file_, node.source(), "takes a word in quotes");
  }

  Names patterns(const std::string& key, const toml::node& node) {
    Names found;
    if (const auto* list = node.as_array()) {
      for (const toml::node& one : *list) found.push_back(pattern(key, one));
      if (found.empty()) refuse(file_, node.source(), "an empty list matches nothing: leave the key out");
    } else {
      found.push_back(pattern(key, node));
    }
    return found;
  }

  std::string pattern(const std::string& key, const toml::node& node) {
    const std::string text = word(node);
    const Names known = values_known(key);
    if (std::ranges::none_of(known, [&text](const std::string& value) { return fits(text, value); }))
      check_name(text, known, node);
    return text;
  }

  void check_rare(const Prediction& rule, const toml::node& node) {
    if (rule.rare.empty()) refuse(file_, node.source(), "say why the deadlock is rare, or leave the key out");
    if (rule.predicted != "deadlock") refuse(file_, node.source(), "only a deadlock is rare");
  }

  void check_name(const std::string& name, const Names& known, const toml::node& node) {
    if (std::ranges::find(known, name) == known.end())
      refuse(file_, node.source(), fmt::format("unknown '{}'{}", name, harness::did_you_mean(name, known)));
  }

  fs::path file_;
};

}  // namespace

bool Prediction::matches(const Cell& cell) const {
  return std::ranges::all_of(match, [&cell](const auto& key) {
    const std::string value = value_of(cell, key.first);
    return std::ranges::any_of(key.second, [&value](const std::string& one) { return fits(one, value); });
  });
}

Predictions::Predictions(const fs::path& file) : rules_(Reader(file).read()) {}

const Prediction* Predictions::of(const Cell& cell) const {
  const auto last = std::find_if(rules_.rbegin(), rules_.rend(), [&cell](const Prediction& rule) { return rule.matches(cell); });
  return last == rules_.rend() ? nullptr : &*last;
}

}  // namespace torture
