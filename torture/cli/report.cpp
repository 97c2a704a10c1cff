#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "harness/base/errors.hpp"
#include "harness/base/say.hpp"
#include "harness/supervise/stop_signals.hpp"
#include "torture/cli/commands.hpp"

namespace torture {

namespace fs = std::filesystem;

namespace {

constexpr int kHadNoRoom = 3;  // report.py's own word for BROKEN

// Stop signals go to a whole group, and this helper must not lose its work to one that the parent has noted
// already. It ends with its parent.
[[noreturn]] void become_report(const fs::path& script, const fs::path& dir) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const sigset_t stops = harness::stop_signals();
  sigprocmask(SIG_BLOCK, &stops, nullptr);
  execl("/usr/bin/python3", "python3", script.c_str(), dir.c_str(), nullptr);
  _exit(127);
}

/// Beside the scenarios where it is installed, else in the source tree.
fs::path report_script() {
  const fs::path installed = scenario_dir() / "scripts" / "report.py";
  if (fs::exists(installed)) return installed;
  return scenario_dir().parent_path().parent_path() / "scripts" / "report.py";
}

/// False if the disk had no room.
bool had_room_for_report(const fs::path& dir) {
  const fs::path script = report_script();
  if (!fs::exists(script)) {
    harness::say(stderr, "no report: no scripts/report.py here; run the source tree's on {}\n", dir.string());
    return true;
  }
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) become_report(script, dir);
  int status = 0;
  pid_t reaped = -1;
  do {
    reaped = pid < 0 ? -1 : waitpid(pid, &status, 0);
  } while (pid > 0 && reaped < 0 && errno == EINTR);  // by a stop signal
  if (pid > 0 && reaped == pid && status == 0) return true;
  if (reaped == pid && WIFEXITED(status) && WEXITSTATUS(status) == kHadNoRoom) return false;
  harness::say(stderr, "no report: scripts/report.py failed; run it by hand on {}\n", dir.string());
  return true;
}

}  // namespace

bool call_broken(Judgement& judgement, const std::string& why) {
  if (judgement.verdict <= Verdict::kBroken) return false;
  judgement.verdict = Verdict::kBroken;
  judgement.why = why;
  return true;
}

void make_report(const fs::path& dir, Judgement& whole, const std::function<void()>& record) {
  if (had_room_for_report(dir)) return;
  if (!call_broken(whole, "the report could not be written; the line above names the cure")) return;
  try {
    record();
  } catch (const harness::Broken&) {
    std::error_code error;
    fs::remove(dir / "verdict.json", error);
  }
}

}  // namespace torture
