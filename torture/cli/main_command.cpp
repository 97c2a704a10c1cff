#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "harness/base/errors.hpp"
#include "harness/base/nearest.hpp"
#include "harness/base/say.hpp"
#include "torture/cli/commands.hpp"
#include "torture/kernel/cell_process.hpp"

#ifndef SRCUTORTURE_VERSION
#error "the build gives SRCUTORTURE_VERSION"
#endif

namespace torture {
namespace {

void add_run(CLI::App& app, RunOptions& options) {
  CLI::App* run = app.add_subcommand("run", "torture a scheme and judge it");
  run->add_option("SCENARIO", options.scenarios,
                  "scenario, set, or N*SCENARIO; none: smoke, or basic with --flavor");
  run->add_flag("--all", options.all, "every scenario but those that show a known bug");
  run->add_option("--duration", options.duration,
                  "of the whole call: 90s 15m 8h 1d; a bare number is minutes");
  run->add_option("--flavor", options.flavor, "torture this one instead of each scenario's own");
  run->add_option("--set", options.set, "key=value, over the scenario file (keys: list params)")
      ->allow_extra_args(false);
  run->add_option("--plugin", options.plugin, "shared object that exports srcutorture_ops");
  run->add_option("--seed", options.seed, "0xHEX; the same seed draws the same numbers");
  run->add_option("--place", options.place, "placement of the threads (list placements)");
  run->add_option("--out", options.out, "the run directory; must not exist, or be empty");
  run->add_option("--fail-on", options.fail_on, "near_miss,latency=50ms: fail on these too");
  run->add_option(
      "--jobs", options.jobs,
      "scenarios at a time, each on an equal part of the CPUs; two CPUs or more for each see most");
  run->add_flag("--kernel-layout", options.kernel_layout,
                "add the files by which the kernel's kvm-recheck.sh judges the run directory");
  run->add_option(
      "--stop-latency", options.stop_latency,
      "50ms: stop at the first grace period that takes longer, with all stacks and who held it up");
  run->add_flag("--chaos", options.chaos,
                "make the code under test wait at its atomic accesses, by settings that change; plugins: README.md");
  run->add_flag("--dry-run", options.dry_run, "show what would run, and where");
}

void add_topology(CLI::App& app, TopologyOptions& options) {
  CLI::App* topology = app.add_subcommand("topology", "show where threads would run");
  topology->add_option("--place", options.place, "placement policy (list placements)");
  topology->add_option("--threads", options.threads, "readers to place")->check(CLI::Range(1, 10000));
  topology->add_option("--synthetic", options.synthetic,
                       "a described machine: \"pack:2 numa:2 core:8 pu:2\"");
  topology->add_option("--xml", options.xml, "a machine from hwloc's XML");
  topology->add_option("--svg", options.svg, "draw it into this file");
}

/// An empty word is a variable that a script forgot to set: it must not stand for "not given".
void refuse_empty_values(CLI::App& app) {
  const CLI::Validator not_empty(
      [](const std::string& word) {
        return std::string(word.empty() ? "takes a value, not an empty word" : "");
      },
      "");
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    for (CLI::Option* option : command->get_options()) {
      const bool says_so_itself = option->get_name() == "--stop-latency";
      if (option->get_items_expected_max() > 0 && !says_so_itself) option->check(not_empty);
    }
  }
}

void add_matrix(CLI::App& app, MatrixOptions& options) {
  CLI::App* matrix = app.add_subcommand(
      "matrix", "who may call call_srcu() under which lock: predicted, proved, and really run");
  matrix->add_option("--contexts", options.contexts,
                     "a,b: only these (list contexts); tp:PATTERN: tracepoints, by the prover alone");
  matrix->add_option("--strategies", options.strategies, "x,y: only these (list strategies)");
  matrix->add_flag("--quick", options.quick, "the few cells of each pair that say most");
  matrix->add_option("--out", options.out, "the run directory; must not exist, or be empty");
}

/// All words but --binary are the engine's to understand, --help included.
void add_engine(CLI::App& app, const char* name, const char* sentence, EngineOptions& options) {
  CLI::App* engine = app.add_subcommand(name, sentence);
  engine->set_help_flag();
  engine->allow_extras();
  engine->add_option("--binary", options.binary, "the program with the tests; none: srcutorture-engine beside this one");
}

// CLI11 says of a mistyped subcommand only that one is required.
void refuse_unknown_subcommand(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->check_name(argv[1])) return;
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  throw harness::UsageError(fmt::format("no subcommand '{}'{} (choose from {})", argv[1],
                                        harness::did_you_mean(argv[1], names), fmt::join(names, " ")));
}

struct Parsed {
  RunOptions run;
  MatrixOptions matrix;
  std::vector<std::string> cell;
  TopologyOptions topology;
  EngineOptions engine;
  std::string check_dir, list_what;
  bool json = false;
};

int dispatch(const CLI::App& app, Parsed& parsed, const Ops* extra) {
  for (const auto& [name, what] : {std::pair("engine", "run"), std::pair("replay", "replay")}) {
    if (!app.got_subcommand(name)) continue;
    parsed.engine.words = app.get_subcommand(name)->remaining();
    return engine_command(what, parsed.engine);
  }
  if (app.got_subcommand("list") && parsed.list_what == "tests")
    return engine_command("list", {{}, parsed.json ? std::vector<std::string>{"--json"} : std::vector<std::string>{}});
  if (app.got_subcommand("run")) return run_command(parsed.run, extra);
  if (app.got_subcommand("matrix")) return matrix_command(parsed.matrix);
  if (app.got_subcommand(kCellCommand)) return cell_command(parsed.cell);
  if (app.got_subcommand("check")) return check_command(parsed.check_dir);
  if (app.got_subcommand("list")) return list_command(parsed.list_what, parsed.json, extra);
  return topology_command(parsed.topology);
}

int parse_and_dispatch(const Ops* extra, int argc, char** argv) {
  CLI::App app("srcutorture: hammers a deferred-reclamation scheme on real cores, and judges it");
  app.set_version_flag("--version", "srcutorture " SRCUTORTURE_VERSION);
  app.require_subcommand(1);
  Parsed parsed;
  parsed.run.argv.assign(argv, argv + argc);
  parsed.matrix.argv = parsed.run.argv;
  add_run(app, parsed.run);
  add_matrix(app, parsed.matrix);
  app.add_subcommand(kCellCommand, "one cell, for the program itself")
      ->group("")
      ->add_option("CELL", parsed.cell);
  app.add_subcommand("check", "judge a run directory again, from its files alone")
      ->add_option("DIR", parsed.check_dir)
      ->required();
  CLI::App* list = app.add_subcommand(
      "list", "scenarios sets flavors contexts strategies tracepoints placements params checks tests");
  list->add_option("WHAT", parsed.list_what)->required();
  list->add_flag("--json", parsed.json);
  add_topology(app, parsed.topology);
  add_engine(app, "engine", "controlled executions of the library's own tests (engine --help)", parsed.engine);
  add_engine(app, "replay", "one controlled execution again: replay TOKEN", parsed.engine);
  refuse_empty_values(app);
  refuse_unknown_subcommand(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    throw harness::UsageError(fmt::format("{} (see: srcutorture --help)", error.what()));
  }
  return dispatch(app, parsed, extra);
}

}  // namespace

int main_command(const Ops* extra, int argc, char** argv) {
  harness::open_standard_files();
  try {
    return parse_and_dispatch(extra, argc, argv);
  } catch (const harness::UsageError& error) {
    harness::say(stderr, "srcutorture: {}\n", error.what());
    return 2;
  } catch (
      const std::exception& error) {  // Broken, and whatever a library throws when the machine is at its end
    harness::say(stderr, "srcutorture: {}\n", error.what());
    return 3;
  }
}

}  // namespace torture

extern "C" int srcutorture_main(const struct srcutorture_ops* ops, int argc, char** argv) {
  return torture::main_command(ops, argc, argv);
}
