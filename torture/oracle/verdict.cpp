#include "torture/oracle/verdict.hpp"

#include <algorithm>

namespace torture {

const char* verdict_name(Verdict verdict) {
  static constexpr const char* names[] = {"CRASH",       "HANG",         "DEADLOCK", "FAILURE", "BROKEN",
                                          "INTERRUPTED", "INCONCLUSIVE", "SKIPPED",  "SUCCESS"};
  return names[static_cast<size_t>(verdict)];
}

int exit_status(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSuccess:
      return 0;
    case Verdict::kBroken:
      return 3;
    case Verdict::kInterrupted:
    case Verdict::kInconclusive:
    case Verdict::kSkipped:
      return 4;
    default:
      return 1;
  }
}

const std::vector<std::pair<std::string, std::string>>& checks() {
  static const std::vector<std::pair<std::string, std::string>> table = {
      {"too_short_gp", "a reader still held an element after a whole grace period"},
      {"use_after_free", "a sanitizer saw freed memory used"},
      {"memory_order", "a reader saw memory from before a publication, or progress go backwards"},
      {"early_cookie", "a polled grace period was called done inside a section that it must wait for"},
      {"early_barrier", "barrier returned before a callback posted earlier had run"},
      {"double_callback", "a callback ran for a head that was not posted"},
      {"lost_callback", "a posted callback was never invoked"},
      {"counter_mismatch", "with all readers outside, the scheme counts some inside"},
      {"garbage_bound", "more bytes waited than the scenario allows"},
      {"wait_context", "a lock that may sleep is taken where sleeping is forbidden"},
      {"lock_cycle", "locks are taken in orders that can deadlock"},
      {"self_deadlock", "a lock is taken again by its own holder"},
      {"stalled_gp", "a grace period did not end"},
      {"no_forward_progress", "a flood did not drain, or a thread stood still"},
      {"crash", "the tortured process was ended by a signal"},
  };
  return table;
}

size_t causal_rank(const std::string& check) {
  const auto& all = checks();
  return static_cast<size_t>(
      std::find_if(all.begin(), all.end(), [&check](const auto& entry) { return entry.first == check; }) -
      all.begin());
}

Verdict verdict_of_check(const std::string& check) {
  if (check == "crash" || check == "use_after_free") return Verdict::kCrash;
  if (check == "stalled_gp" || check == "no_forward_progress") return Verdict::kHang;
  if (check == "lock_cycle" || check == "wait_context" || check == "self_deadlock") return Verdict::kDeadlock;
  return Verdict::kFailure;
}

nlohmann::ordered_json Judgement::json() const {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const Failure& f : failures) {
    list.push_back({{"check", f.check},
                    {"count", f.count},
                    {"first_s", f.first_s},
                    {"message", f.message},
                    {"evidence", f.evidence}});
  }
  // The rule of three: with no failure in T hours, fewer than 3/T an hour with 95 % confidence.
  const bool bounded = verdict == Verdict::kSuccess && duration_s > 0;
  return {{"schema", 1},
          {"verdict", verdict_name(verdict)},
          {"why", why.empty() ? Json(nullptr) : Json(why)},
          {"signature", signature.empty() ? Json(nullptr) : Json(signature)},
          {"scenario", scenario.empty() ? Json(nullptr) : Json(scenario)},
          {"flavor", flavor},
          {"seed", seed},
          {"duration_s", duration_s},
          {"failures", list},
          {"counts", counts},
          {"injectors", injectors},
          {"gp_latency_ns", latency},
          {"bound_per_hour_95", bounded ? Json(3.0 / (duration_s / 3600)) : Json(nullptr)},
          {"canary", canary}};
}

}  // namespace torture
