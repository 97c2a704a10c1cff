#include "harness/engine/litmus/real.hpp"

#include <array>

#include "harness/engine/litmus/real_words.hpp"

namespace engine::litmus::real {
namespace {

// Written between executions only, and read in them by code that is not instrumented.
const Shape* current;
char shown[16];

constexpr unsigned kThreads = 4;

template <unsigned kThread>
void run_thread() {
  for (const auto operation : current->threads[kThread]) operation();
}

void after() {
  for (const auto operation : current->after) operation();
  const unsigned registers = current->registers();
  for (unsigned i = 0; i < registers; ++i) shown[i] = static_cast<char>('0' + r[i] % 10);
  shown[registers] = 0;
}

Test test_of(const Shape& shape) {
  constexpr std::array<void (*)(), kThreads> kBodies = {run_thread<0>, run_thread<1>, run_thread<2>, run_thread<3>};
  Test test;
  test.name = shape.name.c_str();
  test.sentence = shape.sentence.c_str();
  test.threads.assign(kBodies.begin(), kBodies.begin() + static_cast<long>(shape.threads.size()));
  test.end = after;
  return test;
}

Settings settings_of(Model model, unsigned execution, uint64_t seed) {
  constexpr Strategy kStrategies[] = {Strategy::kPos, Strategy::kRandom, Strategy::kPct};
  Settings settings;
  settings.model = model;
  settings.strategy = kStrategies[execution % 3];
  settings.steps_expected = 24;
  settings.seed = seed + execution;
  return settings;
}

}  // namespace

Outcomes run(Run& engine, const Shape& shape, Model model, unsigned executions, uint64_t seed) {
  const Test test = test_of(shape);
  current = &shape;
  Outcomes outcomes;
  for (unsigned i = 0; i < executions; ++i) {
    const Outcome outcome = engine.execute(test, settings_of(model, i, seed));
    if (outcome.fine())
      ++outcomes[shown];
    else if (outcome.kind == Outcome::Kind::kFault && outcome.what == "a data race")
      ++outcomes["race"];
    else
      ++outcomes["'" + outcome.what + "'"];
  }
  return outcomes;
}

}  // namespace engine::litmus::real
