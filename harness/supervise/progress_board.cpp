#include "harness/supervise/progress_board.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "harness/base/errors.hpp"
#include "harness/supervise/shared_pages.hpp"

namespace harness {
namespace {

static_assert(std::atomic<uint64_t>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free,
              "both processes must see the same bytes");

}  // namespace

/// What stands in the shared pages: the head, then the slots. Made of zeroed memory.
struct alignas(128) ProgressBoard::Shared {
  std::atomic<uint32_t> claimed;
  std::atomic<bool> stop, help, given;
};

ProgressBoard::ProgressBoard(unsigned slots)
    : count_(slots),
      shared_(new (map_shared(sizeof(Shared) + slots * sizeof(Slot), "the progress board")) Shared{}),
      stop_(&shared_->stop),
      help_(&shared_->help),
      given_(&shared_->given) {
  for (unsigned i = 0; i < count_; ++i) new (this->slots() + i) Slot{};
}

ProgressBoard::~ProgressBoard() { unmap_shared(shared_, sizeof(Shared) + count_ * sizeof(Slot)); }

ProgressBoard::Slot* ProgressBoard::slots() const { return reinterpret_cast<Slot*>(shared_ + 1); }

ProgressBoard::Slot& ProgressBoard::claim(std::string_view name) {
  // relaxed: only hands out numbers; the slot itself is published through its tid_.
  const uint32_t at = shared_->claimed.fetch_add(1, std::memory_order_relaxed);
  if (at >= count_)
    throw Broken(fmt::format("thread {}: all {} slots of the progress board are taken: make the board larger",
                             name, count_));
  Slot& slot = slots()[at];
  const size_t length = std::min(name.size(), sizeof slot.name_ - 1);
  std::memcpy(slot.name_, name.data(), length);
  slot.resume();
  // Pairs with the acquire in read(): the name is there for whoever sees the tid.
  slot.tid_.store(gettid(), std::memory_order_release);
  return slot;
}

std::vector<ProgressBoard::Reading> ProgressBoard::read() const {
  std::vector<Reading> readings;
  // relaxed: at worst a claim under way is seen at the next look.
  const uint32_t claimed = std::min(shared_->claimed.load(std::memory_order_relaxed), count_);
  for (uint32_t i = 0; i < claimed; ++i) {
    const Slot& slot = slots()[i];
    // Pairs with the release in claim(). 0: its thread is just writing the name.
    const pid_t tid = slot.tid_.load(std::memory_order_acquire);
    // relaxed: see beat() and rest().
    readings.push_back({tid ? slot.name_ : "", tid, slot.beats_.load(std::memory_order_relaxed),
                        tid && slot.expected_.load(std::memory_order_relaxed)});
  }
  return readings;
}

}  // namespace harness
