#include "torture/cli/chaos.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "harness/base/errors.hpp"
#include "harness/engine/chaos/chaos.hpp"
#include "torture/cli/become.hpp"
#include "torture/flavors/plugin.hpp"
#include "torture/kernel/nmi_session.hpp"

namespace torture {

using harness::UsageError;

void go_where_chaos_is(const RunOptions& options, const Ops* extra) {
  if (!options.chaos || engine::chaos::linked()) return;
  if (extra)
    throw UsageError("--chaos: this program's own scheme is not compiled for it: make it a plugin, compiled with -fsanitize=thread "
                     "and linked without, for srcutorture run --chaos --plugin");
  const std::filesystem::path own = this_program(), there = own.parent_path() / "srcutorture-chaos";
  const int error = own == there ? ELOOP : become(there, options.argv);
  throw UsageError(fmt::format("--chaos needs {}, which does not run ({}): build that target; a build with a sanitizer has none",
                               there.string(), std::strerror(error)));
}

const Ops& load_for(const RunOptions& options) {
  const uint64_t before = engine::chaos::units();
  const Ops& ops = load_plugin(options.plugin);
  if (options.chaos && engine::chaos::units() == before)
    throw UsageError(fmt::format("--plugin {} is not compiled for --chaos: compile it with -fsanitize=thread, and link it without",
                                 options.plugin));
  return ops;
}

std::string why_no_chaos(const PlannedScenario& planned) {
  if (!planned.chaos) return {};
  if (planned.flavor.foreign)
    return fmt::format("no chaos for {}: its code is another library's, and not compiled for it", planned.flavor.ops->name);
  if (steps_nmis(planned.scenario.params))
    return fmt::format("no chaos for {}: it goes by single instructions, and on one thread", planned.scenario.name);
  return {};
}

void refuse_chaos_for_nobody(const Plan& plan) {
  const auto none = [](const PlannedScenario& one) { return !why_no_chaos(one).empty(); };
  if (plan.scenarios.empty() || !std::ranges::all_of(plan.scenarios, none)) return;
  throw UsageError(fmt::format("--chaos: {}; leave it out", why_no_chaos(plan.scenarios.front())));
}

}  // namespace torture
