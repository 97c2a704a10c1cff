// What tests call, see test.hpp.
#include "harness/engine/test.hpp"

#include <string>

#include "harness/engine/fatal.hpp"
#include "harness/engine/run.hpp"

namespace engine {

void check(bool holds, const char* message) {
  Inside in;
  if (holds) return;
  if (!in) fatal("a check failed outside of an execution: ", message);
  in->fail(Outcome::Kind::kCheck, message, ENGINE_CALLER);
}

void progress(uint32_t bound) {
  if (Inside in; in) {
    Thread& me = in->thread(in->self());
    me.progress_bound = bound;
    me.progress_steps = 0;
  }
}

void progress_among(uint32_t bound) {
  if (Inside in; in) {
    Thread& me = in->thread(in->self());
    me.others_bound = bound;
    me.others_passed = 0;
  }
}

void passed() {
  Inside in;
  if (!in) return;
  for (ThreadId id = 0; id < in->thread_count(); ++id) {
    Thread& other = in->thread(id);
    if (id == in->self() || other.state == Thread::State::kEnded || other.others_bound == 0) continue;
    if (++other.others_passed > other.others_bound)
      in->fail(Outcome::Kind::kNoProgress, "no progress while others passed " + std::to_string(other.others_bound) + " times", ENGINE_CALLER);
  }
}

void set_handler(void (*handler)()) {
  if (Inside in; in) in->set_handler(handler);
}

void become_child() {
  if (Inside in; in) in->become_child(ENGINE_CALLER);
}

void retire(const void* object, size_t bytes) {
  Inside in;
  if (!in) return;
  in->point({Kind::kFree, Order::kRelaxed, static_cast<uint32_t>(bytes), reinterpret_cast<uintptr_t>(object), ENGINE_CALLER});
  in->memory().freed(in->self(), object, bytes, ENGINE_CALLER);
}

const char* test_name() {
  Inside in;
  return in ? in->test_name() : "";
}

void tell_from_here() {
  if (Inside in; in) in->tell_from_here();
}

void name_lock(const void* byte, const char* name) {
  if (Inside in; in) in->name_lock(byte, name);
}

std::deque<Test>& all_tests() {
  static std::deque<Test> tests;
  return tests;
}

}  // namespace engine
