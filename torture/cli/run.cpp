#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "harness/base/duration.hpp"
#include "harness/base/errors.hpp"
#include "harness/base/say.hpp"
#include "harness/record/files.hpp"
#include "harness/record/run_dir.hpp"
#include "harness/topology/cpu_list.hpp"
#include "harness/topology/placement.hpp"
#include "harness/topology/svg.hpp"
#include "torture/cli/chaos.hpp"
#include "torture/cli/commands.hpp"
#include "torture/cli/jobs.hpp"
#include "torture/cli/manifest.hpp"
#include "torture/oracle/judge.hpp"

namespace torture {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

using Parts = std::vector<harness::Topology>;

std::string pus_words(const PlannedScenario& p, const Parts& parts) {
  return harness::cpu_list_text(parts[p.part].pus());
}

Json plan_json(const RunOptions& options, const Plan& plan, const harness::Topology& topology,
               const Parts& parts) {
  Json scenarios = Json::array();
  for (const PlannedScenario& p : plan.scenarios) {
    Json seats = Json::array();  // one line a thread
    std::istringstream lines(harness::describe(parts[p.part], seats_of(p, parts[p.part])));
    for (std::string line; std::getline(lines, line);) seats.push_back(line);
    scenarios.push_back({{"dir", p.dir},
                         {"scenario", p.scenario.name},
                         {"flavor", p.flavor.ops->name},
                         {"seed", fmt::format("0x{:x}", p.seed)},
                         {"duration_s", p.duration_s},
                         {"pus", pus_words(p, parts)},
                         {"place", p.scenario.params.place},
                         {"placement", seats}});
  }
  return {{"schema", 1},
          {"name", plan.name},
          {"chaos", plan.chaos},
          {"seed", fmt::format("0x{:x}", plan.seed)},
          {"duration_s", plan.duration_s},
          {"jobs", plan.jobs},
          {"machine", topology.summary()},
          {"scenarios", scenarios},
          {"rerun", rerun_command(options, plan)}};
}

// What would surely go wrong later goes wrong here, before anything is created.
void check_possible(const Plan& plan, const Parts& parts) {
  for (const PlannedScenario& p : plan.scenarios) {
    try {
      (void)seats_of(p, parts[p.part]);
    } catch (const harness::UsageError& error) {
      if (plan.jobs == 1) throw;
      throw harness::UsageError(fmt::format("{} (with --jobs {}, {} runs on PUs {} only)", error.what(),
                                            plan.jobs, p.dir, pus_words(p, parts)));
    }
  }
}

int dry_run(const RunOptions& options, const Plan& plan, const harness::Topology& topology,
            const Parts& parts) {
  fmt::print("{}\n", topology.summary());
  for (const PlannedScenario& p : plan.scenarios) {
    fmt::print("{}: {} for {}, placement {} on PUs {}\n", p.dir, p.flavor.ops->name,
               harness::duration_words(p.duration_s), p.scenario.params.place, pus_words(p, parts));
    fmt::print("{}", harness::describe(parts[p.part], seats_of(p, parts[p.part])));
  }
  fmt::print("{}\n", rerun_command(options, plan));
  return 0;
}

// Of the scenarios that run first, one in each part.
std::vector<harness::Seat> first_seats(const Plan& plan, const Parts& parts) {
  std::vector<harness::Seat> all;
  for (size_t i = 0; i < std::min(parts.size(), plan.scenarios.size()); ++i) {
    const auto seats = seats_of(plan.scenarios[i], parts[i]);
    all.insert(all.end(), seats.begin(), seats.end());
  }
  return all;
}

void write_beginning(const RunOptions& options, const Plan& plan, const harness::Topology& topology,
                     const Parts& parts, const Limits& limits, const fs::path& dir) {
  Json manifest = manifest_json(options.argv, limits, plan.jobs, fmt::format("0x{:x}", plan.seed));
  manifest["chaos"] = plan.chaos;
  harness::write_once(dir / "manifest.json", manifest.dump(2) + "\n");
  harness::write_once(dir / "plan.json", plan_json(options, plan, topology, parts).dump(2) + "\n");
  harness::write_once(dir / "topology.xml", topology.xml_text());
  harness::write_once(dir / "topology.svg", harness::topology_svg(topology, first_seats(plan, parts)));
}

void write_verdict(const RunJudgement& run, const fs::path& dir) {
  harness::write_once(dir / "verdict.json", run.json().dump(2) + "\n");
}

// For whoever looks at the directory later. Where there is no room for a verdict, it has none: then it was cut short.
void try_to_call_broken(const fs::path& dir, const char* why) {
  try {
    RunJudgement run = judge_run(dir);
    call_broken(run.whole, why);
    write_verdict(run, dir);
  } catch (const std::exception&) {
  }
}

// The run's last word to the caller.
int close(const RunJudgement& run, const fs::path& dir) {
  const int status = run.exit_status();
  harness::say(stdout, "{}{}\nresults in {}\n", verdict_name(run.whole.verdict),
             run.whole.why.empty() ? "" : ": " + run.whole.why, dir.string());
  return status;
}

}  // namespace

int run_command(const RunOptions& options, const Ops* extra) {
  go_where_chaos_is(options, extra);
  const harness::StopSignals stop;  // to the last line
  const harness::Topology topology = harness::Topology::this_machine();
  const Parts parts = topology.parts(options.jobs);
  const Limits limits = limits_here(topology);
  const Plan plan = make_plan(options, limits.quota, extra);
  check_possible(plan, parts);
  for (const std::string& words : limits.notes) harness::say(stderr, "note: {}\n", words);
  if (options.dry_run) return dry_run(options, plan, topology, parts);
  harness::writes_fail_without_a_signal();
  const fs::path dir = harness::create_run_dir(options.out, plan.name);
  write_beginning(options, plan, topology, parts, limits, dir);
  Progress progress;
  RunContext context{plan, rerun_command(options, plan), parts, limits, dir, stop, progress};
  try {
    run_all(context);
  } catch (const harness::Broken& broken) {
    try_to_call_broken(dir, broken.what());
    throw;
  }
  RunJudgement run = judge_run(dir);
  write_verdict(run, dir);
  make_report(dir, run.whole, [&] { write_verdict(run, dir); });
  const int status = close(run, dir);
  return stop.noted() ? 128 + stop.noted() : status;
}

}  // namespace torture
