#include "harness/supervise/stack_mailbox.hpp"

#include <execinfo.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/supervise/proc.hpp"
#include "harness/supervise/shared_pages.hpp"

namespace harness {

/// One thread that is asked. It goes asked_ -> frames_ -> depth_, and back to nobody in collect() alone, so
/// that a thread that answers late never writes where another one is expected.
struct alignas(64) StackMailbox::Slot {
  std::atomic<pid_t> asked_;     ///< 0: free.
  std::atomic<uint32_t> depth_;  ///< 0: no answer yet.
  std::array<std::atomic<uintptr_t>, kFrames> frames_;

  bool answered() const {
    // Pairs with the release in write(): the frames are there.
    return depth_.load(std::memory_order_acquire) != 0;
  }
  void write(void* const* frames, size_t depth) {
    // relaxed: published by the depth.
    for (size_t i = 0; i < depth; ++i)
      frames_[i].store(reinterpret_cast<uintptr_t>(frames[i]), std::memory_order_relaxed);
    // Pairs with the acquire in answered().
    depth_.store(static_cast<uint32_t>(depth), std::memory_order_release);
  }
};

struct alignas(64) StackMailbox::Shared {
  std::atomic<pid_t>
      answering;  ///< The process whose threads answer, 0 if none: there the signal would kill.
};

namespace {

static_assert(std::atomic<uintptr_t>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free,
              "used in a signal handler and by two processes");

constinit std::atomic<StackMailbox*> answering_mailbox{nullptr};

void* interrupted_at(const void* context) {
#if defined(__x86_64__)
  return reinterpret_cast<void*>(static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return reinterpret_cast<void*>(static_cast<const ucontext_t*>(context)->uc_mcontext.pc);
#else
  return static_cast<void>(context), nullptr;
#endif
}

}  // namespace

StackMailbox::StackMailbox(unsigned threads)
    : count_(threads), memory_(map_shared(sizeof(Shared) + threads * sizeof(Slot), "stack requests")) {
  shared_ = new (memory_) Shared{};
  slots_ = reinterpret_cast<Slot*>(shared_ + 1);
  for (unsigned i = 0; i < count_; ++i) new (slots_ + i) Slot{};
}

StackMailbox::~StackMailbox() { unmap_shared(memory_, sizeof(Shared) + count_ * sizeof(Slot)); }

int StackMailbox::signo() { return SIGRTMAX - 2; }

void StackMailbox::answer() {
  // The first call loads the unwinder, which a signal handler must not do.
  void* warm[2];
  backtrace(warm, 2);
  // Pairs with the acquire in on_signal().
  answering_mailbox.store(this, std::memory_order_release);
  struct sigaction action {};
  action.sa_sigaction = &StackMailbox::on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  if (sigaction(signo(), &action, nullptr) != 0)
    throw Broken(fmt::format("cannot answer stack requests: {}: allow rt_sigaction in this sandbox",
                             std::strerror(errno)));
  // Pairs with the acquire in ask(): whoever sees it may send the signal.
  shared_->answering.store(getpid(), std::memory_order_release);
}

void StackMailbox::on_signal(int, siginfo_t*, void* context) {
  const int interrupted_errno = errno;
  // Pairs with the release in answer().
  answering_mailbox.load(std::memory_order_acquire)->write_here(interrupted_at(context));
  errno = interrupted_errno;
}

void StackMailbox::write_here(void* interrupted) {
  const pid_t self = gettid();
  const auto mine = std::find_if(slots_, slots_ + count_, [self](const Slot& slot) {
    // Pairs with the release in slot_for(): the slot is empty and ours.
    return slot.asked_.load(std::memory_order_acquire) == self;
  });
  if (mine == slots_ + count_ || mine->answered()) return;
  constexpr size_t kHandlerFrames = 8;
  void* frames[kFrames + kHandlerFrames];
  const auto depth = static_cast<size_t>(std::max(backtrace(frames, kFrames + kHandlerFrames), 0));
  void** const end = frames + depth;
  void** first = std::find(frames, end, interrupted);
  if (first == end) first = frames;
  mine->write(first, std::min<size_t>(static_cast<size_t>(end - first), kFrames));
}

/// Null if there is no room, or if the thread still owes an answer to an earlier signal: that one will do.
StackMailbox::Slot* StackMailbox::slot_for(pid_t tid) {
  Slot* free = nullptr;
  for (Slot* slot = slots_; slot != slots_ + count_; ++slot) {
    // relaxed: this process alone writes it.
    const pid_t asked = slot->asked_.load(std::memory_order_relaxed);
    if (asked == tid && !slot->answered()) return nullptr;
    if (asked == tid || (asked == 0 && !free)) free = slot;
    if (asked == tid) break;
  }
  if (!free) return nullptr;
  // relaxed: published by the store below.
  free->depth_.store(0, std::memory_order_relaxed);
  // Pairs with the acquire in write_here().
  free->asked_.store(tid, std::memory_order_release);
  return free;
}

void StackMailbox::forget_ended(const std::vector<pid_t>& threads) {
  for (Slot* slot = slots_; slot != slots_ + count_; ++slot) {
    // relaxed: this process alone writes it, and an ended thread reads no more.
    const pid_t asked = slot->asked_.load(std::memory_order_relaxed);
    if (asked != 0 && !std::binary_search(threads.begin(), threads.end(), asked))
      slot->asked_.store(0, std::memory_order_relaxed);
  }
}

/// Moves what has come into `answers`; true while somebody still owes one.
bool StackMailbox::collect(Answers& answers) {
  bool owed = false;
  for (Slot* slot = slots_; slot != slots_ + count_; ++slot) {
    // relaxed: this process alone writes asked_; answered() orders the frames and their number.
    const pid_t asked = slot->asked_.load(std::memory_order_relaxed);
    if (asked == 0) continue;
    if (!slot->answered()) {
      owed = true;
      continue;
    }
    std::vector<uintptr_t>& frames = answers[asked];
    const uint32_t depth = slot->depth_.load(std::memory_order_relaxed);
    for (uint32_t i = 0; i < depth; ++i) frames.push_back(slot->frames_[i].load(std::memory_order_relaxed));
    slot->asked_.store(0, std::memory_order_relaxed);
  }
  return owed;
}

StackMailbox::Answers StackMailbox::ask(pid_t pid, double timeout_s) {
  Answers answers;
  // Pairs with the release in answer().
  if (shared_->answering.load(std::memory_order_acquire) != pid) return answers;
  const std::vector<pid_t> threads = proc_threads(pid);
  forget_ended(threads);
  for (const pid_t tid : threads)
    if (slot_for(tid)) syscall(SYS_tgkill, pid, tid, signo());
  const uint64_t deadline = now_ns() + static_cast<uint64_t>(timeout_s * 1e9);
  while (collect(answers) && now_ns() < deadline) sleep_ns(1'000'000);
  return answers;
}

}  // namespace harness
