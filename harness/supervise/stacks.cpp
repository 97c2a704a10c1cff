#include "harness/supervise/stacks.hpp"

#include <fmt/format.h>
#include <signal.h>

#include "harness/base/errors.hpp"
#include "harness/supervise/gdb_stacks.hpp"
#include "harness/supervise/proc.hpp"
#include "harness/supervise/stack_mailbox.hpp"
#include "harness/supervise/symbols.hpp"

namespace harness {
namespace {

/// Stops the process meanwhile: running on, a busy one would starve the debugger and its like for many
/// seconds, and move.
class Stopped {
 public:
  explicit Stopped(pid_t pid) : pid_(proc_stopped(pid) ? 0 : pid) {
    if (pid_ != 0) ::kill(pid_, SIGSTOP);
  }
  ~Stopped() {
    if (pid_ != 0) ::kill(pid_, SIGCONT);
  }
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;

 private:
  pid_t pid_;  ///< 0 if it was stopped before.
};

using Names = std::map<pid_t, std::vector<std::string>>;

/// All addresses at once, since a helper program is started for each file, not for each address.
Names names_of(pid_t pid, const StackMailbox::Answers& answers, const StackLimits& limits) {
  std::vector<CodeAddress> addresses;
  for (const auto& [tid, frames] : answers)
    for (size_t i = 0; i < frames.size(); ++i) addresses.push_back({frames[i], i == 0});
  std::vector<std::string> all;
  try {
    all = name_addresses(pid, addresses, limits.names_s > 0 ? limits.addr2line : "", limits.names_s);
  } catch (const Broken&) {
    // The helper could not be started; the plain names need none.
    all = name_addresses(pid, addresses, "", 0);
  }
  Names names;
  auto next = all.begin();
  for (const auto& [tid, frames] : answers)
    for (size_t i = 0; i < frames.size(); ++i) names[tid].push_back(*next++);
  return names;
}

std::string head_of(pid_t pid, pid_t tid) {
  const auto stat = proc_stat(pid, tid);
  if (!stat) return fmt::format("\nThread {} has just ended\n", tid);
  return fmt::format("\nThread {} \"{}\", state {}, CPU {}, {:.2f} s of CPU time\n", tid, stat->comm,
                     stat->state, stat->processor, stat->cpu_s);
}

std::string waits_of(pid_t pid, pid_t tid) {
  return fmt::format("  waits in {}, system call {}\n", proc_line(pid, tid, "wchan"),
                     proc_line(pid, tid, "syscall"));
}

std::string frames_of(pid_t tid, const Names& names) {
  std::string text;
  const auto known = names.find(tid);
  for (size_t i = 0; known != names.end() && i < known->second.size(); ++i)
    text += fmt::format("#{} {}\n", i, known->second[i]);
  return text;
}

/// What can be had without a debugger; `why` grows by what went wrong.
Stacks own_means(pid_t pid, StackMailbox* mailbox, const StackLimits& limits, std::string why) {
  StackMailbox::Answers answers;
  if (limits.wake && proc_stopped(pid)) ::kill(pid, SIGCONT);
  if (mailbox && limits.answer_s > 0) answers = mailbox->ask(pid, limits.answer_s);
  const bool asked = !answers.empty();
  if (!mailbox)
    why += "; signal: the process has no handler for it";
  else if (!asked)
    why += "; signal: no thread answered";
  std::map<pid_t, std::string> seen;  // what each thread does, before all are stopped
  for (const pid_t tid : proc_threads(pid))
    seen[tid] = head_of(pid, tid) + (answers.contains(tid) ? "" : waits_of(pid, tid));
  const Stopped stopped(pid);
  const Names names = names_of(pid, answers, limits);
  Stacks stacks{"", asked ? "signal" : "proc", why};
  for (const auto& [tid, text] : seen) stacks.text += text + frames_of(tid, names);
  return stacks;
}

std::string title(pid_t pid, const Stacks& stacks) {
  return fmt::format("stacks of process {} by {}{}{}\n", pid, stacks.way,
                     stacks.why_no_better.empty() ? "" : "; ", stacks.why_no_better);
}

GdbStacks gdb_of(pid_t pid, const StackLimits& limits) {
  if (!(limits.gdb_s > 0)) return {"", "not wanted"};
  const Stopped stopped(pid);
  return gdb_stacks(pid, limits.gdb, limits.gdb_s);
}

}  // namespace

Stacks take_stacks(pid_t pid, StackMailbox* mailbox, const StackLimits& limits) {
  if (proc_threads(pid).empty())
    return {fmt::format("no stacks: process {} is gone\n", pid), "proc", "the process is gone"};
  const GdbStacks gdb = gdb_of(pid, limits);
  Stacks stacks{gdb.text, "gdb", gdb.trouble.empty() ? "" : "gdb: " + gdb.trouble};
  if (gdb.text.empty()) stacks = own_means(pid, mailbox, limits, stacks.why_no_better);
  // The thread that matters may be among those that the debugger did not reach.
  else if (!gdb.trouble.empty())
    stacks.text += own_means(pid, mailbox, limits, "").text;
  stacks.text = title(pid, stacks) + stacks.text;
  return stacks;
}

}  // namespace harness
