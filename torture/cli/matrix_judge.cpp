#include "torture/cli/matrix_judge.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/record/files.hpp"
#include "torture/kernel/cells.hpp"

namespace torture {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr size_t kMostCells = 100'000;  // of a plan that anybody may have written

Json parsed(const fs::path& file) {
  return fs::is_regular_file(file) ? Json::parse(harness::read_text(file), nullptr, false) : Json();
}

Failure failure_of(const CellResult& result, const Contradiction& contradiction) {
  return {.check = contradiction.check,
          .message = fmt::format("{}: predicted {}: {}", cell_words(result.cell), result.predicted, contradiction.why),
          .evidence = evidence_file(result)};
}

}  // namespace

Judgement judge_matrix(const std::vector<CellResult>& cells, double duration_s, bool stopped, const std::string& broken) {
  Judgement judgement{.verdict = Verdict::kSuccess,
                      .canary = "none",
                      .duration_s = duration_s,
                      .injectors = Json::object(),
                      .latency = Json::object()};
  size_t ran = 0, tried = 0;
  for (const CellResult& result : cells) {
    ran += result.ran;
    tried += result.tried();
    const Contradiction contradiction = result.contradiction();
    if (contradiction.why.empty()) continue;
    judgement.failures.push_back(failure_of(result, contradiction));
    // A deadlock that was expected and did not come is a failure, but no deadlock.
    judgement.verdict = std::min(judgement.verdict,
                                 contradiction.missed ? Verdict::kFailure : verdict_of_check(contradiction.check));
  }
  judgement.counts = {{"cells", cells.size()}, {"ran", ran}, {"tried", tried}};
  if (!judgement.failures.empty()) {
    judgement.why = fmt::format("{} of {} cells contradict their predictions", judgement.failures.size(), ran);
  } else if (!broken.empty()) {
    judgement.verdict = Verdict::kBroken;
    judgement.why = fmt::format("{}; {} of {} cells had run", broken, ran, cells.size());
  } else if (stopped) {
    judgement.verdict = Verdict::kInterrupted;
    judgement.why = fmt::format("stopped after {} of {} cells", ran, cells.size());
  } else if (tried == 0) {
    judgement.verdict = Verdict::kInconclusive;
    judgement.why = "no cell could be tried";
  }
  return judgement;
}

Json matrix_verdict_json(const Judgement& judgement) {
  Json json = judgement.json();
  json["bound_per_hour_95"] = nullptr;  // counts cells, not hours
  json["scenarios"] = Json::array();
  return json;
}

bool is_matrix_dir(const fs::path& dir) {
  const Json plan = parsed(dir / "plan.json");
  return plan.is_object() && plan.contains("kind") && plan["kind"] == "matrix";
}

Judgement judge_matrix_dir(const fs::path& dir) {
  std::vector<CellResult> cells = matrix_from_json(parsed(dir / "matrix.json"));
  const Json plan = parsed(dir / "plan.json"), verdict = parsed(dir / "verdict.json");
  const size_t ran = cells.size();
  if (plan.contains("cells") && plan["cells"].is_number_unsigned())
    cells.resize(std::max(ran, std::min<size_t>(plan["cells"].get<size_t>(), kMostCells)));
  const bool took = verdict.is_object() && verdict.contains("duration_s") && verdict["duration_s"].is_number();
  return judge_matrix(cells, took ? verdict["duration_s"].get<double>() : 0, ran < cells.size());
}

}  // namespace torture
