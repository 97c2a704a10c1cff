#include "torture/oracle/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "harness/base/errors.hpp"
#include "harness/record/files.hpp"
#include "torture/oracle/recorded.hpp"
#include "torture/oracle/sanitizer.hpp"
#include "torture/oracle/signature.hpp"

namespace torture {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// events.jsonl sorted by what the judge asks for. Lines that are no JSON objects are skipped: a killed
/// writer may have cut one, and the next writer went on behind it.
struct Events {
  Json start, torture, canary, end, broken, child_ended, skipped, stopped;
  std::vector<Json> failures;
  double last_s = 0;

  explicit Events(const fs::path& file) {
    if (!fs::is_regular_file(file)) return;
    for (const std::string& line : harness::whole_lines(file)) {
      const Json event = Json::parse(line, nullptr, false);
      if (!event.is_object() || !event.contains("event") || !event["event"].is_string()) continue;
      last_s = std::max(last_s, number(event, "t_s"));
      sort_in(event, event["event"].get<std::string>());
    }
  }

  static double number(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number() ? found->get<double>() : 0;
  }

 private:
  void sort_in(const Json& event, const std::string& name) {
    if (name == "start") start = event;
    if (name == "torture") torture = event;
    // A canary that ran on after a stop was given no time to be caught.
    if (name == "canary" && (stopped.is_null() || text(event, "result") == "caught")) canary = event;
    if (name == "end") end = event;
    if (name == "broken") broken = event;
    if (name == "child_ended") child_ended = event;
    if (name == "skipped") skipped = event;
    if (name == "stopped") stopped = event;
    if (name == "failure") failures.push_back(event);
  }
};

bool flag(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

Json member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : Json::object();
}

std::vector<Failure> noted_failures(const Events& events) {
  std::vector<Failure> list;
  const Json counts = member(events.end, "failures");
  for (const Json& event : events.failures) {
    const std::string check = text(event, "check");
    const auto count = std::max<uint64_t>(1, static_cast<uint64_t>(Events::number(counts, check.c_str())));
    list.push_back(
        {check, count, Events::number(event, "t_s"), text(event, "message"), text(event, "evidence")});
  }
  return list;
}

/// The last sample of a torture that was cut short before its own last words.
struct Samples {
  Json last = Json::object();
  double latency_max = 0;

  explicit Samples(const fs::path& file) {
    if (!fs::is_regular_file(file)) return;
    for (const std::string& line : harness::whole_lines(file)) {
      const Json sample = Json::parse(line, nullptr, false);
      if (!sample.is_object()) continue;
      last = sample;
      latency_max = std::max(latency_max, Events::number(sample, "gp_max_ns"));
    }
  }

  // Intervals' maxima know more than nothing, where there is no sum.
  Json latency() const {
    Json sum = member(last, "gp_latency_ns");
    if (sum.empty() && latency_max > 0) sum["max"] = static_cast<uint64_t>(latency_max);
    return sum;
  }
};

Json counts_in(const Json& last) {
  const auto count = [&last](const char* key) { return static_cast<uint64_t>(Events::number(last, key)); };
  return {{"reads", count("reads")},
          {"grace_periods", count("gps")},
          {"callbacks_posted", count("posted")},
          {"callbacks_invoked", count("invoked")},
          {"migrations", count("migrations")},
          {"pending_bytes_max", std::max(count("pending_bytes"), count("pending_bytes_max"))}};
}

uint64_t near_misses(const Json& last_words) {
  uint64_t sum = 0;
  if (const auto batch = last_words.find("batch"); batch != last_words.end() && batch->is_array()) {
    for (size_t i = 2; i < batch->size(); ++i)
      sum += (*batch)[i].is_number() ? (*batch)[i].get<uint64_t>() : 0;
  }
  return sum;
}

// A section that saw more than one grace period end. Exact sequence numbers make it a failure, which the
// torture itself has noted if it lived; otherwise rcutorture's own measure counts: more than five in ten
// hours.
void judge_near_misses(const Events& events, double duration_s, uint64_t misses,
                       std::vector<Failure>& failures) {
  const auto noted = [](const Failure& f) { return f.check == "too_short_gp"; };
  if (misses == 0 || std::ranges::any_of(failures, noted)) return;
  const bool exact = flag(events.start, "gp_seq_exact"), strict = flag(events.start, "fail_on_near_miss");
  const bool often = misses > 1 && static_cast<double>(misses) * 36000 / std::max(duration_s, 1.0) > 5;
  if (!exact && !strict && !often) return;
  failures.push_back({"too_short_gp", misses, duration_s,
                      fmt::format("{} sections saw more than one grace period end", misses),
                      "grace-period sequence"});
}

void judge_latency(const Events& events, double duration_s, const Json& latency,
                   std::vector<Failure>& failures) {
  const double limit = Events::number(events.start, "fail_on_latency_ns");
  const double max = Events::number(latency, "max");
  if (limit <= 0 || max <= limit) return;
  failures.push_back(
      {"no_forward_progress", 1, duration_s,
       fmt::format("a grace period took {:.1f} ms, the limit is {:.1f} ms", max / 1e6, limit / 1e6),
       "gp.hgrm"});
}

// What the end of the process adds to what its threads noted. A signal that the supervisor sent to a hanging
// child is no crash; one from outside is.
void judge_end_of_child(const Events& events, std::vector<Failure>& failures) {
  const std::string signal = text(events.child_ended, "signal");
  if (signal.empty() || flag(events.child_ended, "by_supervisor")) return;
  failures.push_back({"crash", 1, events.last_s, text(events.child_ended, "words"),
                      flag(events.child_ended, "foreign") ? "the signal came from outside" : "stacks.txt"});
}

// The keys of counts, as a person would say them.
std::string plain(const std::string& count) {
  std::string words = count;
  std::ranges::replace(words, '_', ' ');
  return words;
}

// What must have happened for a verdict to mean anything.
std::string too_little(const Events& events, const Json& counts, const Json& injectors) {
  const Json least = member(events.start, "least");
  for (const auto& [key, wanted] : least.items()) {
    const double got = Events::number(counts, key.c_str());
    if (wanted.is_number() && got < wanted.get<double>()) {
      return fmt::format("only {:.0f} {}, the scenario asks for {:.0f}", got, plain(key),
                         wanted.get<double>());
    }
  }
  if (const auto wanted = events.torture.find("injectors");
      wanted != events.torture.end() && wanted->is_array()) {
    for (const Json& name : *wanted) {
      if (name.is_string() && Events::number(injectors, name.get<std::string>().c_str()) == 0) {
        return fmt::format("the injector '{}' never fired", name.get<std::string>());
      }
    }
  }
  return {};
}

struct Ruling {
  Verdict verdict;
  std::string why;
};

std::string missed_words(const Json& canary) {
  const std::string instead = text(canary, "instead");
  return fmt::format("the canary {} was not caught{}: this run could not have seen a failure",
                     text(canary, "flavor"),
                     instead.empty() ? "" : fmt::format(" by {} but by {}", text(canary, "trips"), instead));
}

// An exit status is the child's last word, also when all before it was well.
bool ended_badly(const Json& child_ended) { return Events::number(child_ended, "exit_code") != 0; }

Ruling interrupted(const Events& events) {
  if (!events.stopped.is_null())
    return {Verdict::kInterrupted, "stopped by " + text(events.stopped, "signal")};
  if (events.start.is_null()) return {Verdict::kInterrupted, "it was not started before the run ended"};
  return {Verdict::kInterrupted, "the supervisor did not live to see the end"};
}

Ruling rule(const Events& events, const std::vector<Failure>& failures, const Json& counts,
            const Json& injectors) {
  if (!events.skipped.is_null()) return {Verdict::kSkipped, text(events.skipped, "reason")};
  if (!failures.empty()) {
    return {verdict_of_check(failures.front().check),
            fmt::format("{}: {}", failures.front().check, failures.front().message)};
  }
  if (!events.broken.is_null()) return {Verdict::kBroken, text(events.broken, "message")};
  if (text(events.canary, "result") == "missed") return {Verdict::kBroken, missed_words(events.canary)};
  if (events.child_ended.is_null()) return interrupted(events);
  if (events.end.is_null() && !events.stopped.is_null() && flag(events.child_ended, "by_supervisor")) {
    return {Verdict::kInterrupted,
            fmt::format("stopped by {}, which the tortured process did not obey: stacks.txt has where it was",
                        text(events.stopped, "signal"))};
  }
  if (events.end.is_null()) {
    return {Verdict::kBroken,
            fmt::format("the tortured process {} before its end", text(events.child_ended, "words"))};
  }
  if (ended_badly(events.child_ended)) {
    return {Verdict::kBroken,
            fmt::format("the tortured process {} after its end, which leaves its last words in doubt",
                        text(events.child_ended, "words"))};
  }
  if (!events.stopped.is_null()) return interrupted(events);
  if (const std::string why = too_little(events, counts, injectors); !why.empty())
    return {Verdict::kInconclusive, why};
  return {Verdict::kSuccess, ""};
}

}  // namespace

Judgement judge_scenario(const fs::path& dir) {
  const Events events(dir / "events.jsonl");
  Judgement j;
  j.scenario = events.start.is_null() ? dir.filename().string() : text(events.start, "scenario");
  j.flavor = text(events.start, "flavor");
  j.seed = text(events.start, "seed");
  j.canary = events.canary.is_null() ? "none" : text(events.canary, "result");
  j.duration_s = Events::number(events.end, "torture_s");
  if (events.end.is_null()) j.duration_s = events.last_s;
  const bool whole = !events.end.is_null();
  const Samples samples(whole ? fs::path() : dir / "stats.jsonl");
  const Json& last_words = whole ? events.end : samples.last;
  j.counts = member(events.end, "counts");
  if (j.counts.empty()) j.counts = counts_in(samples.last);
  j.injectors = member(last_words, "injectors");
  j.latency = whole ? member(events.end, "gp_latency_ns") : samples.latency();
  const uint64_t misses = near_misses(last_words);
  j.counts["near_misses"] = misses;
  j.failures = noted_failures(events);
  judge_near_misses(events, j.duration_s, misses, j.failures);
  judge_latency(events, j.duration_s, j.latency, j.failures);
  judge_end_of_child(events, j.failures);
  std::ranges::move(sanitizer_failures(dir, events.last_s), std::back_inserter(j.failures));
  std::ranges::stable_sort(j.failures, {}, [](const Failure& f) { return causal_rank(f.check); });
  const Ruling ruling = rule(events, j.failures, j.counts, j.injectors);
  j.verdict = ruling.verdict;
  j.why = ruling.why;
  if (!j.failures.empty()) {
    const Failure& first = j.failures.front();
    j.signature = first.signature.empty()
                      ? signature(first.check, first.message, text(events.child_ended, "signal"), dir)
                      : first.signature;
  }
  return j;
}

namespace {

void add_up(Json& sum, const Json& part) {
  for (const auto& [key, value] : part.items()) {
    if (!value.is_number()) continue;
    const uint64_t before = sum.contains(key) ? sum[key].get<uint64_t>() : 0;
    const uint64_t now = value.get<uint64_t>();
    sum[key] = key == "pending_bytes_max" ? std::max(before, now) : before + now;
  }
}

// The worst scenario speaks for the run; work is added up, latencies are the worst of any.
Judgement sum_up(const std::vector<std::pair<std::string, Judgement>>& scenarios) {
  Judgement whole;
  whole.counts = whole.injectors = whole.latency = Json::object();
  const Judgement* worst = nullptr;
  for (const auto& [dir, j] : scenarios) {
    if (!worst || j.verdict < worst->verdict) worst = &j;
    whole.duration_s += j.duration_s;
    whole.failures.insert(whole.failures.end(), j.failures.begin(), j.failures.end());
    add_up(whole.counts, j.counts);
    add_up(whole.injectors, j.injectors);
    if (Events::number(j.latency, "max") >= Events::number(whole.latency, "max")) whole.latency = j.latency;
    if (whole.canary.empty() || j.canary == "missed") whole.canary = j.canary;
    whole.flavor = whole.flavor.empty() || whole.flavor == j.flavor ? j.flavor : "several";
  }
  if (!worst) {
    whole.why = "no scenario was started";
    return whole;
  }
  whole.verdict = worst->verdict;
  whole.why = worst->why;
  whole.signature = worst->signature;
  return whole;
}

}  // namespace

int RunJudgement::exit_status() const {
  const bool some_success =
      std::ranges::any_of(scenarios, [](const auto& s) { return s.second.verdict == Verdict::kSuccess; });
  return whole.verdict == Verdict::kSkipped && some_success ? 0 : torture::exit_status(whole.verdict);
}

Json RunJudgement::json() const {
  Json all = whole.json();
  all["scenarios"] = Json::array();
  for (const auto& [dir, j] : scenarios)
    all["scenarios"].push_back({{"dir", dir}, {"verdict", verdict_name(j.verdict)}});
  return all;
}

namespace {

// Other programs have files of that name, too, and lists in them.
bool is_plan(const Json& plan) {
  if (!plan.is_object() || Events::number(plan, "schema") != 1) return false;
  const auto scenarios = plan.find("scenarios");
  return scenarios != plan.end() && scenarios->is_array() &&
         std::ranges::all_of(*scenarios, [](const Json& one) { return one.is_object() && one.contains("dir"); });
}

}  // namespace

RunJudgement judge_run(const fs::path& dir) {
  const fs::path file = dir / "plan.json";
  if (!fs::is_directory(dir))
    throw harness::UsageError(fmt::format("{} is no directory; name a run directory", dir.string()));
  if (!fs::is_regular_file(file)) {
    throw harness::UsageError(fmt::format("{} is no run directory: it has no plan.json", dir.string()));
  }
  const Json plan = Json::parse(harness::read_text(file), nullptr, false);
  if (!is_plan(plan)) {
    throw harness::UsageError(fmt::format("{} is not the plan of a run", file.string()));
  }
  RunJudgement run;
  for (const Json& scenario : plan["scenarios"]) {
    if (const std::string name = text(scenario, "dir");
        !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos) {
      Judgement& judgement = run.scenarios.emplace_back(name, judge_scenario(dir / name)).second;
      if (fs::exists(dir / name / "events.jsonl") || fs::exists(dir / name / "verdict.json"))
        heed_recorded(judgement, dir / name);
    }
  }
  run.whole = sum_up(run.scenarios);
  run.whole.seed = text(plan, "seed");  // the one that does the same again; each scenario's is drawn from it
  return run;
}

}  // namespace torture
