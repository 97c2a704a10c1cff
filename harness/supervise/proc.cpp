#include "harness/supervise/proc.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace harness {
namespace {

std::string task_file(pid_t pid, pid_t tid, const char* file) {
  return fmt::format("/proc/{}/task/{}/{}", pid, tid, file);
}

/// "pid (comm) state ...": the name may hold blanks and brackets, so the last bracket ends it.
std::optional<ProcStat> read_stat(const std::string& path) {
  std::ifstream in(path);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const size_t open = text.find('('), close = text.rfind(')');
  if (open == text.npos || close == text.npos) return {};
  std::istringstream rest(text.substr(close + 1));
  // Counted from the state, which is field 3 of proc(5).
  const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  constexpr size_t kState = 0, kUserTicks = 11, kSystemTicks = 12, kProcessor = 36;
  if (fields.size() <= kProcessor) return {};
  const double ticks = std::stod(fields[kUserTicks]) + std::stod(fields[kSystemTicks]);
  return ProcStat{text.substr(open + 1, close - open - 1), fields[kState][0],
                  ticks / static_cast<double>(sysconf(_SC_CLK_TCK)), std::stoi(fields[kProcessor])};
}

}  // namespace

std::optional<ProcStat> proc_stat(pid_t pid) { return read_stat(fmt::format("/proc/{}/stat", pid)); }

std::optional<ProcStat> proc_stat(pid_t pid, pid_t tid) { return read_stat(task_file(pid, tid, "stat")); }

std::vector<pid_t> proc_threads(pid_t pid) {
  std::vector<pid_t> threads;
  std::error_code gone;
  for (std::filesystem::directory_iterator at(fmt::format("/proc/{}/task", pid), gone), end;
       !gone && at != end; at.increment(gone)) {
    const std::string name = at->path().filename();
    pid_t tid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), tid).ec == std::errc())
      threads.push_back(tid);
  }
  std::sort(threads.begin(), threads.end());
  return threads;
}

std::string proc_line(pid_t pid, pid_t tid, const char* file) {
  std::ifstream in(task_file(pid, tid, file));
  std::string line;
  return std::getline(in, line) ? line : "?";
}

std::optional<uint64_t> proc_migrations(pid_t pid, pid_t tid) {
  std::ifstream in(task_file(pid, tid, "sched"));
  std::string word, colon;
  for (uint64_t count; in >> word;)
    if (word == "se.nr_migrations" && in >> colon >> count) return count;
  return {};
}

bool proc_stopped(pid_t pid) {
  const auto stat = proc_stat(pid);
  return stat && (stat->state == 'T' || stat->state == 't');
}

}  // namespace harness
