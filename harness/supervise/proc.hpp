#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace harness {

/// What /proc says of one process or one thread.
struct ProcStat {
  std::string comm;
  char state;     ///< R running, S sleeping, D uninterruptible, T stopped, t traced, Z ended.
  double cpu_s;   ///< User and system time; of all threads, also ended ones, if asked of a process.
  int processor;  ///< Last ran here.
};

/// Of a process. Nothing if it is gone.
std::optional<ProcStat> proc_stat(pid_t pid);

/// Of one thread of it. Nothing if it is gone.
std::optional<ProcStat> proc_stat(pid_t pid, pid_t tid);

/// The threads of a process, ascending; empty if it is gone.
std::vector<pid_t> proc_threads(pid_t pid);

/// The first line of /proc/PID/task/TID/`file`; "?" if it cannot be read.
std::string proc_line(pid_t pid, pid_t tid, const char* file);

/// How often the kernel moved a thread to another CPU. Nothing if it does not tell.
std::optional<uint64_t> proc_migrations(pid_t pid, pid_t tid);

/// True if the process is stopped (by a signal or a tracer).
bool proc_stopped(pid_t pid);

}  // namespace harness
