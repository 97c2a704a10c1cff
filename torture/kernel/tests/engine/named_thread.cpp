// In the place of harness/threads/named_thread.cpp: without a promise, which would wait inside the standard library, and
// without binding. Names come from the model.
#include "harness/threads/named_thread.hpp"

#include <thread>

namespace harness {

struct NamedThread::State {
  std::thread thread;
};

NamedThread::NamedThread(std::string, std::optional<unsigned>, std::function<void()> fn)
    : state_(new State{std::thread(std::move(fn))}) {}
NamedThread::NamedThread(NamedThread&&) noexcept = default;
NamedThread::~NamedThread() {
  if (state_ && state_->thread.joinable()) state_->thread.join();
}
void NamedThread::join() {
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace harness
