#include "harness/threads/named_thread.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <exception>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

#include "harness/base/errors.hpp"
#include "harness/topology/bind.hpp"

namespace harness {

std::string short_thread_name(std::string_view name) {
  constexpr size_t kKernelLimit = 15;
  if (name.size() <= kKernelLimit) return std::string(name);
  const size_t slash = name.rfind('/');
  const std::string_view index = slash == name.npos ? std::string_view() : name.substr(slash);
  if (index.size() >= kKernelLimit) return std::string(name.substr(0, kKernelLimit));
  return std::string(name.substr(0, kKernelLimit - index.size())) + std::string(index);
}

/// Shared with the thread, and at a fixed address, so that a NamedThread can be moved while it runs.
struct NamedThread::State {
  std::string name;
  std::optional<unsigned> pu;
  pid_t tid = 0;
  std::exception_ptr failure;
  std::promise<void> seated;
  std::thread thread;

  void take_seat() {
    tid = gettid();
    pthread_setname_np(pthread_self(), short_thread_name(name).c_str());
    if (pu) bind_this_thread(*pu);
  }

  void run(const std::function<void()>& fn) {
    try {
      take_seat();
    } catch (const Broken& refusal) {
      seated.set_exception(
          std::make_exception_ptr(Broken(fmt::format("thread {}: {}", name, refusal.what()))));
      return;
    }
    seated.set_value();
    try {
      fn();
    } catch (...) {
      failure = std::current_exception();
    }
  }
};

NamedThread::NamedThread(std::string name, std::optional<unsigned> pu, std::function<void()> fn)
    : state_(std::make_unique<State>()) {
  State* state = state_.get();
  state->name = std::move(name);
  state->pu = pu;
  std::future<void> seated = state->seated.get_future();
  try {
    state->thread = std::thread([state, fn = std::move(fn)] { state->run(fn); });
  } catch (const std::system_error& refusal) {
    throw Broken(fmt::format(
        "cannot start thread {}: {}: raise the limits on processes and memory (ulimit -u, ulimit -v), or use "
        "fewer threads",
        state->name, refusal.code().message()));
  }
  try {
    seated.get();
  } catch (...) {
    state->thread.join();
    throw;
  }
}

NamedThread::NamedThread(NamedThread&&) noexcept = default;

NamedThread& NamedThread::operator=(NamedThread&& other) noexcept {
  wait_and_release();
  state_ = std::move(other.state_);
  return *this;
}

NamedThread::~NamedThread() { wait_and_release(); }

void NamedThread::wait_and_release() {
  if (joinable()) state_->thread.join();
  const bool lost = state_ && state_->failure && std::uncaught_exceptions() == 0;
  // Rethrown where nothing catches it, the runtime ends the program with the message.
  if (lost) [&]() noexcept { std::rethrow_exception(state_->failure); }();
  state_.reset();
}

void NamedThread::join() {
  if (!joinable()) return;
  state_->thread.join();
  if (state_->failure) std::rethrow_exception(std::exchange(state_->failure, nullptr));
}

bool NamedThread::joinable() const { return state_ && state_->thread.joinable(); }

pid_t NamedThread::tid() const { return state_->tid; }

std::optional<unsigned> NamedThread::pu() const { return state_->pu; }

const std::string& NamedThread::name() const { return state_->name; }

}  // namespace harness
