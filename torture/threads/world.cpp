#include "torture/threads/world.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <new>

namespace torture {
namespace {

class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

harness::Broken why_broken(std::string_view who) {
  try {
    throw;
  } catch (const harness::Broken& broken) {
    return broken;
  } catch (const std::bad_alloc&) {
    return harness::Broken(fmt::format(
        "no memory left for {}: raise the limit on it (ulimit -v), or make floods smaller (cbflood_max)",
        who));
  } catch (const std::exception& error) {
    return harness::Broken(fmt::format("{}: {}", who, error.what()));
  }
}

Membership::Membership(World& world, bool reads) : world_(world), reads_(reads) {
  const AllSignalsBlocked blocked;
  ctx_ = world.ops.thread_register ? world.ops.thread_register(world.domain) : nullptr;
  if (world.ops.thread_register && !ctx_)
    throw harness::Broken("the scheme's thread_register() returned null");
  world.gate.join();
  if (reads_) world.readers.join();
}

Membership::~Membership() {
  const AllSignalsBlocked blocked;
  if (reads_) world_.readers.leave();
  world_.gate.leave();
  if (world_.ops.thread_unregister) world_.ops.thread_unregister(world_.domain, ctx_);
}

void Membership::nap(uint64_t ns) {
  away();
  harness::sleep_ns(ns);
  back();
}

void Membership::away() {
  if (world_.ops.offline) world_.ops.offline(world_.domain, ctx_);
}

void Membership::back() {
  if (world_.ops.online) world_.ops.online(world_.domain, ctx_);
}

void Membership::park() {
  // Only one of the two is closed at a time.
  ParkGate& gate = world_.gate.closed() ? world_.gate : world_.readers;
  gate.park([this] { away(); }, [this] { back(); });
}

void Membership::pause() {
  away();
  world_.stutter->wait();
  back();
}

}  // namespace torture
