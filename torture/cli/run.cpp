#include <fmt/chrono.h>
#include <fmt/format.h>
#include <hwloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>

#include "harness/base/duration.hpp"
#include "harness/base/errors.hpp"
#include "harness/record/files.hpp"
#include "harness/record/machine.hpp"
#include "harness/record/run_dir.hpp"
#include "harness/topology/placement.hpp"
#include "harness/topology/quota.hpp"
#include "harness/topology/svg.hpp"
#include "torture/cli/commands.hpp"
#include "torture/cli/scenario_run.hpp"
#include "torture/oracle/judge.hpp"
#include "torture/threads/cast.hpp"

namespace torture {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json plan_json(const RunOptions& options, const Plan& plan, const harness::Topology& topology) {
  Json scenarios = Json::array();
  for (const PlannedScenario& p : plan.scenarios) {
    scenarios.push_back({{"dir", p.dir},
                         {"scenario", p.scenario.name},
                         {"flavor", p.flavor.ops->name},
                         {"seed", fmt::format("0x{:x}", p.seed)},
                         {"duration_s", p.duration_s},
                         {"place", p.scenario.params.place}});
  }
  return {{"schema", 1},
          {"name", plan.name},
          {"seed", fmt::format("0x{:x}", plan.seed)},
          {"duration_s", plan.duration_s},
          {"machine", topology.summary()},
          {"scenarios", scenarios},
          {"rerun", rerun_command(options, plan)}};
}

Json manifest_json(const RunOptions& options, const Plan& plan) {
  Json machine = harness::machine_facts();
  if (const auto quota = harness::cpu_quota()) machine["cgroup"]["cpus"] = *quota;
  return {{"schema", 1},
          {"started", fmt::format("{:%Y-%m-%dT%H:%M:%S%z}", fmt::localtime(std::time(nullptr)))},
          {"machine", machine},
          {"libraries", {{"hwloc", HWLOC_API_VERSION}}},
          {"argv", options.argv},
          {"seed", fmt::format("0x{:x}", plan.seed)}};
}

std::vector<harness::Seat> seats_of(const PlannedScenario& p, const harness::Topology& topology) {
  const auto cpus = static_cast<unsigned>(topology.pus().size());
  return harness::place(topology, p.scenario.params.place,
                        Roles::of(*p.flavor.ops, p.scenario.params, cpus).seats(), p.seed);
}

// What would surely go wrong later goes wrong here, before anything is created.
void check_possible(const Plan& plan, const harness::Topology& topology) {
  for (const PlannedScenario& p : plan.scenarios) (void)seats_of(p, topology);
}

int dry_run(const RunOptions& options, const Plan& plan, const harness::Topology& topology) {
  fmt::print("{}\n", topology.summary());
  for (const PlannedScenario& p : plan.scenarios) {
    fmt::print("{}: {} for {}, placement {}\n", p.dir, p.flavor.ops->name,
               harness::duration_words(p.duration_s), p.scenario.params.place);
    fmt::print("{}", harness::describe(topology, seats_of(p, topology)));
  }
  fmt::print("{}\n", rerun_command(options, plan));
  return 0;
}

void write_beginning(const RunOptions& options, const Plan& plan, const harness::Topology& topology,
                     const fs::path& dir) {
  harness::write_once(dir / "manifest.json", manifest_json(options, plan).dump(2) + "\n");
  harness::write_once(dir / "plan.json", plan_json(options, plan, topology).dump(2) + "\n");
  harness::write_once(dir / "topology.xml", topology.xml_text());
  harness::write_once(dir / "topology.svg",
                      harness::topology_svg(topology, seats_of(plan.scenarios.front(), topology)));
}

std::string clock_words() { return fmt::format("{:%F %T}", fmt::localtime(std::time(nullptr))); }

void run_all(const Plan& plan, const fs::path& dir, RunContext& context) {
  harness::Appender log(dir / "log");
  for (const PlannedScenario& planned : plan.scenarios) {
    if (context.stop.noted()) return;
    log.line(fmt::format("{} {} starts: {} for {:.0f} s, seed 0x{:x}", clock_words(), planned.dir,
                         planned.flavor.ops->name, planned.duration_s, planned.seed));
    run_scenario(planned, dir / planned.dir, context);
    const Judgement j = judge_scenario(dir / planned.dir);
    harness::write_once(dir / planned.dir / "verdict.json", j.json().dump(2) + "\n");
    log.line(fmt::format("{} {} ends: {}{}", clock_words(), planned.dir, verdict_name(j.verdict),
                         j.why.empty() ? "" : ", " + j.why));
    context.progress.end(verdict_name(j.verdict), j.why);
  }
}

// The report is Python's part; a run without it is a run all the same.
void make_report(const fs::path& dir) {
  const fs::path script = scenario_dir().parent_path().parent_path() / "scripts" / "report.py";
  if (!fs::exists(script)) return;
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    execl("/usr/bin/python3", "python3", script.c_str(), dir.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
    fmt::print(stderr, "no report: scripts/report.py failed; run it by hand on {}\n", dir.string());
  }
}

}  // namespace

int run_command(const RunOptions& options, const Ops* extra) {
  const Plan plan = make_plan(options, extra);
  const harness::Topology topology = harness::Topology::this_machine();
  check_possible(plan, topology);
  if (options.dry_run) return dry_run(options, plan, topology);
  const fs::path dir = harness::create_run_dir(options.out, plan.name);
  write_beginning(options, plan, topology, dir);
  int stopped = 0;
  {
    const harness::StopSignals stop;
    Progress progress;
    RunContext context{plan, topology, stop, progress};
    run_all(plan, dir, context);
    stopped = stop.noted();
  }
  const RunJudgement run = judge_run(dir);
  harness::write_once(dir / "verdict.json", run.json().dump(2) + "\n");
  make_report(dir);
  fmt::print("{}{}\nresults in {}\n", verdict_name(run.whole.verdict),
             run.whole.why.empty() ? "" : ": " + run.whole.why, dir.string());
  return stopped ? 128 + stopped : run.exit_status();
}

}  // namespace torture
