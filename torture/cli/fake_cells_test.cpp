// Cells that answer what is predicted of them, but for one that FAKE_CELL names, as "CONTEXT STRATEGY prover|real ANSWER":
// a check's name, or crash, hang, broken, mute.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "harness/base/errors.hpp"
#include "torture/kernel/cell.hpp"
#include "torture/kernel/predictions.hpp"

namespace torture {
namespace {

std::string as_predicted(const std::string& predicted, Way way) {
  if (predicted == "n/a" || predicted == "wait_context") return predicted;
  if (predicted == "leak") return way == Way::kReal ? "lost_callback" : "ok";
  if (predicted == "ok") return "ok";
  if (way == Way::kProver) return "lock_cycle";
  return predicted == "deadlock" ? "self_deadlock" : "ok";
}

void crash() {
  for (const char c : {'d', 'o', 'w', 'n', '\n'})
    if (write(STDERR_FILENO, &c, 1) != 1) break;
  raise(SIGSEGV);
}

std::string answer_of(const Cell& cell, Way way) {
  const char* fake = getenv("FAKE_CELL");
  std::istringstream in(fake ? fake : "");
  std::string context, strategy, which, answer;
  in >> context >> strategy >> which >> answer;
  const bool named = context == cell.context && strategy == cell.strategy &&
                     which == (way == Way::kProver ? "prover" : "real");
  if (named) return answer;
  if (cell.context.starts_with("tp:")) return "ok";
  return as_predicted(Predictions(SRCUTORTURE_PREDICTIONS).of(cell)->predicted, way);
}

}  // namespace

void run_cell(const Cell& cell, Way way, void (*tell)(const CellOutcome&, void*), void* argument) {
  const std::string answer = answer_of(cell, way);
  if (answer == "crash") crash();
  while (answer == "hang") pause();
  if (answer == "broken") throw harness::Broken("no CPU to pin to");
  if (answer == "mute") return;
  const std::string evidence = answer == "ok" || answer == "n/a" ? "" : "pool -> <rq> -> pool\n\xff held";
  tell({answer, evidence, way == Way::kReal ? 20U : 1U, 1500, 90000, 0.25}, argument);
}

}  // namespace torture
