#include "torture/ops.hpp"

#include <fmt/format.h>

namespace torture {
namespace {

constexpr uint64_t all_facts() {
  uint64_t all = 0;
  for (const Fact& fact : kFacts) all |= fact.bit;
  return all;
}

constexpr uint64_t kAboutCall = SRCUTORTURE_CALL_IN_SIGNAL | SRCUTORTURE_CALL_UNDER_LOCK |
                                SRCUTORTURE_CALL_IN_READER | SRCUTORTURE_CALLBACKS_INLINE;

std::string missing_partner(const Ops& ops) {
  const std::pair<bool, const char*> rules[] = {
      {!ops.thread_register != !ops.thread_unregister,
       "thread_register and thread_unregister stand or lack together"},
      {!ops.offline != !ops.online, "offline and online stand or lack together"},
      {(ops.get_state || ops.start_poll) && !ops.poll_state, "get_state and start_poll need poll_state"},
      {ops.poll_state && !ops.get_state && !ops.start_poll, "poll_state needs get_state or start_poll"},
      {(ops.facts & kAboutCall) && !ops.call, "a fact about call() is claimed, but there is no call"},
      {ops.barrier && !ops.call, "there is a barrier, but no call whose callbacks it could wait for"},
      {(ops.facts & SRCUTORTURE_GP_SEQ_EXACT) && !ops.gp_seq,
       "GP_SEQ_EXACT is claimed, but there is no gp_seq"},
  };
  for (const auto& [broken, words] : rules) {
    if (broken) return words;
  }
  return {};
}

}  // namespace

std::string refusal(const Ops& ops) {
  if (ops.version != SRCUTORTURE_OPS_VERSION || ops.size != sizeof(Ops)) {
    return fmt::format(
        "its table is of version {} and size {}, this program's of version {} and size {}: rebuild it "
        "with this program's srcutorture/ops.h",
        ops.version, ops.size, SRCUTORTURE_OPS_VERSION, sizeof(Ops));
  }
  if (!ops.name || !*ops.name) return "it has no name: set .name";
  for (const char* c = ops.name; *c; ++c) {
    if (*c <= ' ' || *c > '~' || *c == '/')
      return "its name has a blank or an odd letter: use letters, digits, - and _";
  }
  if (ops.facts & ~all_facts())
    return "it claims facts that this program does not know: set only SRCUTORTURE_* bits";
  if (!ops.create) return "it has no create: set .create";
  if (!ops.read_lock || !ops.read_unlock) return "it lacks read_lock or read_unlock: set both";
  if (!ops.synchronize && !ops.call) return "it has neither synchronize nor call: set at least one";
  return missing_partner(ops);
}

}  // namespace torture
