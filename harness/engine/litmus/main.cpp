// The gate: is the engine's memory what C++20, and x86, say it is?
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "harness/base/say.hpp"
#include "harness/engine/litmus/real.hpp"
#include "harness/engine/renew.hpp"

namespace {

using namespace engine;
using namespace engine::litmus;

struct Words {
  std::vector<std::string> shapes;
  unsigned executions = 10'000;
  uint64_t seed = 1;
  bool verbose = false, list = false;
};

bool chosen(const Words& words, const Shape& shape) {
  return words.shapes.empty() || std::find(words.shapes.begin(), words.shapes.end(), shape.name) != words.shapes.end();
}

void print(const Shape& shape, Model model, const Outcomes& outcomes) {
  harness::say(stdout, "{} ({}):", shape.name, model == Model::kTso ? "tso" : "cpp");
  for (const auto& [outcome, times] : outcomes) harness::say(stdout, " {}:{}", outcome, times);
  harness::say(stdout, "\n");
}

int run_all(const Words& words) {
  constexpr unsigned kEnough = 10'000;  // to see what is claimed
  keep_program();
  Run run;
  unsigned shapes = 0, complaints = 0;
  for (const Shape& shape : real::shapes()) {
    if (!chosen(words, shape)) continue;
    ++shapes;
    for (Model model : {Model::kCpp, Model::kTso}) {
      const Outcomes outcomes = real::run(run, shape, model, words.executions, words.seed);
      if (words.verbose) print(shape, model, outcomes);
      for (const std::string& line :
           judge(shape, model, outcomes, words.executions < kEnough ? Thoroughness::kForbiddenOnly : Thoroughness::kSeenToo)) {
        harness::say(stdout, "{}\n", line);
        ++complaints;
      }
    }
  }
  harness::say(stdout, "{} shapes, {} executions of each in each model: {} complaints\n", shapes, words.executions, complaints);
  if (shapes == 0) return 4;
  return complaints ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Litmus shapes in the engine: what is forbidden must not show, what is claimed must (within 10000 executions)");
  app.footer("Exit 0: all is as the table says, 1: not, 2: usage, 4: no such shape.");
  Words words;
  app.add_option("SHAPE", words.shapes, "of those that --list names, or all");
  app.add_option("--executions", words.executions, "of each shape in each model")->check(CLI::PositiveNumber);
  app.add_option("--seed", words.seed);
  app.add_flag("--verbose", words.verbose, "how often each outcome came");
  app.add_flag("--list", words.list);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    harness::say(stderr, "engine_litmus: {} (see --help)\n", error.what());
    return 2;
  }
  if (!words.list) return run_all(words);
  for (const Shape& shape : real::shapes()) harness::say(stdout, "{}\t{}\n", shape.name, shape.sentence);
  return 0;
}
