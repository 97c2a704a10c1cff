#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace harness {

/// Heartbeats of a child's threads, in memory that parent and child share. Made by the parent before the
/// fork; lives as long as anybody may beat. Also carries the parent's wish that the child come to an end.
class ProgressBoard {
 public:
  /// One thread's line on the board; its owner is its one writer.
  class alignas(128) Slot {
   public:
    /// "I got somewhere." Load, add, store: no locked instruction.
    /// relaxed: one writer, and the watcher only asks whether the number changed.
    void beat() { beats_.store(beats_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }

    /// Nothing is expected of this thread until the next resume(): it waits for work, or a pause is on.
    /// relaxed: the watcher may see it late; a stall must last for seconds to count.
    void rest() { expected_.store(false, std::memory_order_relaxed); }
    /// Counts as a beat, so that the watcher's clock starts anew. relaxed: as in rest().
    void resume() {
      beat();
      expected_.store(true, std::memory_order_relaxed);
    }

   private:
    friend class ProgressBoard;
    std::atomic<uint64_t> beats_;
    std::atomic<bool> expected_;
    std::atomic<pid_t> tid_;
    char name_[64];
  };

  /// What the parent sees of a slot.
  struct Reading {
    std::string name;
    pid_t tid;
    uint64_t beats;
    bool expected;  ///< False while the thread rests.
  };

  /// Room for `slots` threads over the whole run. Broken if the memory is refused.
  explicit ProgressBoard(unsigned slots);
  ~ProgressBoard();

  ProgressBoard(const ProgressBoard&) = delete;
  ProgressBoard& operator=(const ProgressBoard&) = delete;

  /// A slot for the calling thread, for good; beats are expected from now on. A thread that ends calls rest()
  /// last. Any thread, lock-free. Broken when all are taken.
  Slot& claim(std::string_view name);

  /// All claimed slots, in the order of claiming; tid 0 while one is being claimed. Any process, any time.
  std::vector<Reading> read() const;

  /// Asks the child to finish what it does and end. Async-signal-safe.
  /// relaxed: a wish, noticed late at worst; nothing else is published with it.
  void request_stop() { stop_->store(true, std::memory_order_relaxed); }
  /// One relaxed load; why relaxed: see request_stop().
  bool stop_requested() const { return stop_->load(std::memory_order_relaxed); }

  /// The child's call: it noticed itself that it hangs, and waits to be looked at and ended.
  /// relaxed: a wish, as above; what it says about the hang stands in its files.
  void ask_help() { help_->store(true, std::memory_order_relaxed); }
  bool help_asked() const { return help_->load(std::memory_order_relaxed); }
  /// The parent's answer: it has looked. relaxed: as above
  void give_help() { given_->store(true, std::memory_order_relaxed); }
  bool help_given() const { return given_->load(std::memory_order_relaxed); }

 private:
  struct Shared;
  Slot* slots() const;

  unsigned count_;
  Shared* shared_;
  std::atomic<bool>*stop_, *help_, *given_;  ///< In the shared pages.
};

}  // namespace harness
