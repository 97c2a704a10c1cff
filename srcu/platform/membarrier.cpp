#include "srcu/platform/membarrier.hpp"

#include <atomic>

#include "srcu/platform/atomic.hpp"
#include "srcu/platform/complain.hpp"
#include "srcu/platform/env.hpp"

namespace srcu {
namespace {

enum class Answer : int { kUnknown, kYes, kNo };
// relaxed throughout: whoever comes early asks the kernel too, and gets the same answer
std::atomic<Answer> answer{Answer::kUnknown};

}  // namespace

bool membarrier_works() {
  Answer known = answer.load(relaxed);
  if (known == Answer::kUnknown) {
    known = env::membarrier_register() ? Answer::kYes : Answer::kNo;
    answer.store(known, relaxed);
  }
  return known == Answer::kYes;
}

void membarrier_again() {
  if (answer.load(relaxed) == Answer::kYes && !env::membarrier_register())
    die("the kernel refuses membarrier() in this forked child, and its fast readers have no fences: let membarrier() "
        "through, or do not use SRCU after fork()");
}

}  // namespace srcu
