#include "harness/engine/refuse.hpp"

#include <fmt/format.h>

#include <exception>

#include "harness/engine/crash.hpp"
#include "harness/engine/fatal.hpp"
#include "harness/engine/names.hpp"
#include "harness/engine/token.hpp"

namespace engine {

void refuse(Run& run, const char* why, const char* call, uintptr_t pc) {
  end_watch();
  std::string text;
  try {
    text = fmt::format("{} at {}: {}{}; replay {}", run.test_name(), lines_of({pc})[pc], why, call,
                       to_text({build_id(), run.test_name(), run.settings()}));
  } catch (const std::exception&) {  // no process for the names: the call's alone
    fatal(why, call);
  }
  fatal(text.c_str());
}

}  // namespace engine
