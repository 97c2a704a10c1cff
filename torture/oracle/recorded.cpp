#include "torture/oracle/recorded.hpp"

#include <fmt/format.h>

#include <optional>

#include "harness/record/files.hpp"

namespace torture {
namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<Verdict> named(const std::string& name) {
  for (int v = 0; v <= static_cast<int>(Verdict::kSuccess); ++v)
    if (name == verdict_name(static_cast<Verdict>(v))) return static_cast<Verdict>(v);
  return {};
}

std::string cut_short(Judgement& judgement) {
  const std::string words = "it was cut short, or still runs: no verdict.json";
  if (judgement.verdict > Verdict::kInterrupted) {
    judgement.verdict = Verdict::kInterrupted;
    judgement.why.clear();
  }
  judgement.why += (judgement.why.empty() ? "" : "; ") + words;
  return words;
}

}  // namespace

std::string heed_recorded(Judgement& judgement, const std::filesystem::path& dir) {
  const std::filesystem::path file = dir / "verdict.json";
  const Json recorded =
      std::filesystem::is_regular_file(file) ? Json::parse(harness::read_text(file), nullptr, false) : Json();
  const auto verdict = recorded.is_object() ? named(text(recorded, "verdict")) : std::nullopt;
  if (!verdict) return cut_short(judgement);
  if (*verdict >= judgement.verdict) return {};
  judgement.verdict = *verdict;
  judgement.why = text(recorded, "why");
  judgement.signature = text(recorded, "signature");
  return fmt::format("its verdict.json says {}{}", verdict_name(*verdict),
                     judgement.why.empty() ? "" : ": " + judgement.why);
}

}  // namespace torture
