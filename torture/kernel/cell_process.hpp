// One cell, one way, in a process of its own: a fresh one, which it may hang or crash at will.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/supervise/child.hpp"
#include "torture/kernel/cell.hpp"
#include "torture/threads/patience.hpp"

namespace torture {

/// The hidden subcommand by which the program runs one cell. Its arguments: cell_arguments().
inline constexpr const char* kCellCommand = "matrix-cell";

/// CONTEXT STRATEGY INSTANCE DOMAIN PACE rt|no-rt prover|real FD; the outcome goes to the descriptor FD.
std::vector<std::string> cell_arguments(const Cell& cell, Way way, int fd);

/// What kCellCommand does: runs the cell, writes its outcome to the descriptor, and ends. UsageError for arguments that
/// cell_arguments() did not make.
int cell_command(const std::vector<std::string>& arguments);

/// step() is to be called so often at least: longer gaps are the machine's fault, and do not count against the cell.
inline constexpr int kCellLookMs = 100;

/// The parent's side. Call from a process with one thread.
class CellProcess {
 public:
  /// Starts it. Broken if the machine refuses.
  CellProcess(const Cell& cell, Way way);

  /// True once it has ended, by itself or, at its time limit, by us, after its stacks were taken. Never waits otherwise.
  bool step();

  /// After step() said true. What the process itself told; `crash` if it ended without a word, `stalled_gp` if it hung;
  /// either with its last words and stacks as evidence. Broken if the process could not do its job.
  CellOutcome outcome();

  /// Readable (poll) once it has ended.
  int fd() const { return child_->fd(); }

 private:
  /// A file in memory, read when all is over: unlike a pipe, it never makes the writer wait.
  class Memo {
   public:
    explicit Memo(const char* name);
    ~Memo();
    Memo(const Memo&) = delete;
    Memo& operator=(const Memo&) = delete;
    int fd() const { return fd_; }
    std::string text() const;

   private:
    int fd_;
  };

  std::optional<CellOutcome> told() const;

  Memo answer_{"cell-answer"}, words_{"cell-words"};
  std::unique_ptr<harness::Child> child_;
  Patience patience_;
  uint64_t waited_ns_ = 0;
  std::string stacks_;
  std::optional<harness::Ended> ended_;
};

}  // namespace torture
