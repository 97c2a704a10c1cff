#include "harness/engine/run.hpp"

#include <algorithm>

#include "harness/engine/fatal.hpp"
#include "harness/engine/refuse.hpp"
#include "harness/engine/renew.hpp"

namespace engine {

Run* engaged;
Run* Run::started_;

namespace {

constexpr uint64_t kEpochNs = 1'000'000'000;  // clocks that begin at 0 hide mistakes
constexpr uint64_t kStepNs = 100;
constexpr uint32_t kSameThread = 300;         // steps in a row after which a thread is taken to be spinning
constexpr uint32_t kPatience = 10'000;        // steps after which whoever waits for a time has waited long enough

}  // namespace

Run::Run() : memory_(*this, Model::kCpp) {
  for (unsigned i = 0; i < schedulers_.size(); ++i) schedulers_[i] = make_scheduler(static_cast<Strategy>(i));
  able_.reserve(kAgents);
}

Run::~Run() = default;

void Run::begin(const Test& test, const Settings& settings) {
  renew_program();
  started_ = this;
  test_ = &test;
  settings_ = settings;
  outcome_ = {};
  chance_ = harness::Random(settings.seed, "chance", 0);
  if (followed_) follower_ = make_follower(*followed_);
  scheduler_ = followed_ ? follower_.get() : schedulers_[static_cast<unsigned>(settings.strategy)].get();
  scheduler_->begin(settings_);
  memory_.begin(settings.model);
  for (ThreadId id = 0; id < thread_count_; ++id) {
    threads_[id].state = Thread::State::kNone;
    fences_due_[id] = fences_awaited_[id] = followed_choices_[id] = followed_handlers_[id] = 0;
  }
  if (recording_) *recording_ = {};
  if (!locks_.empty()) locks_.clear();
  if (!spin_locks_.empty()) spin_locks_.clear();
  membarrier_ = Kernel::kUnasked;
  thread_count_ = 0;
  last_ = kAgents;
  in_a_row_ = 0;
  now_ns_ = kEpochNs;
  gave_way_ = gave_way_twice_ = 0;
}

Outcome Run::execute(const Test& test, const Settings& settings) {
  begin(test, settings);
  self_ = start([](void*) -> void* { return started_->run_test(), nullptr; }, nullptr, true, 0);
  Fiber::run(host_, threads_[self_].fiber);
  return std::move(outcome_);
}

/// Thread 0.
void Run::run_test() {
  const auto body = [](void* function) -> void* { return reinterpret_cast<void (*)()>(function)(), nullptr; };
  if (test_->begin) test_->begin();
  {
    Inside in;
    std::array<ThreadId, kMaxThreads> started;
    unsigned count = 0;
    for (const auto thread : test_->threads) {
      started[count] = start(body, reinterpret_cast<void*>(thread), false, 0);
      if (started[count] == kMaxThreads) fail(Outcome::Kind::kMisuse, "the test has too many threads", 0);
      ++count;
    }
    for (unsigned i = 0; i < count; ++i) join(started[i], 0);
  }
  if (test_->end) test_->end();
  engaged = nullptr;
  for (ThreadId id = 1; id < thread_count_; ++id)
    if (!threads_[id].detached) refuse(*this, "a thread that was started here was neither joined nor detached", "", threads_[id].started_from);
  finish();
}

void Run::finish() {
  Fiber nobody_comes_back;
  Fiber::run(nobody_comes_back, host_);
  __builtin_unreachable();
}

void Run::fail(Outcome::Kind kind, std::string what, uintptr_t where, uintptr_t before) {
  outcome_.kind = kind;
  outcome_.what = std::move(what);
  outcome_.where = where;
  outcome_.before = before;
  mix(static_cast<uint64_t>(kind));
  finish();
}

/// \name Taking turns
/// @{

/// Steps count, too: a sleep is not for ever because the steps of others are short.
bool Run::past_its_time(const Thread& one) const {
  return one.may_be_early || one.until_ns <= now_ns_ || outcome_.steps - one.blocked_at > kPatience;
}

/// Time leaps to the first deadline when nothing else can happen any more: nobody can run, or all who can have given way twice,
/// so they wait for something as well, each in a loop of its own.
void Run::gather_able() {
  able_.clear();
  ThreadId first = kMaxThreads;
  uint64_t busy = 0;
  for (ThreadId id = 0; id < thread_count_; ++id) {
    Thread& one = threads_[id];
    if (one.waits == Thread::For::kSpinLock && *static_cast<const uint8_t*>(one.waits_for) == 0) {  // which is the newest value
      one.waits = Thread::For::kOther;
      one.state = Thread::State::kAble;
    }
    const bool waits = one.state == Thread::State::kBlocked && one.until_ns != 0;
    if (one.state == Thread::State::kAble || (waits && past_its_time(one))) {
      able_.push_back(static_cast<Agent>(id));
      busy |= ~gave_way_twice_ & uint64_t{1} << id;
    } else if (waits && (first == kMaxThreads || one.until_ns < threads_[first].until_ns)) {
      first = id;
    }
  }
  const bool all_wait = !able_.empty() && busy == 0;
  if (all_wait && first != kMaxThreads)
    able_.insert(std::upper_bound(able_.begin(), able_.end(), static_cast<Agent>(first)), static_cast<Agent>(first));
  if (has_buffers(settings_.model))
    for (ThreadId id = 0; id < thread_count_; ++id)
      if (memory_.buffered(id) != 0) able_.push_back(static_cast<Agent>(kBufferOf + id));
  for (ThreadId id = 0; id < thread_count_; ++id)
    if (fences_due_[id] != 0) able_.push_back(static_cast<Agent>(kFenceOf + id));
  if (able_.empty() && first != kMaxThreads) able_.push_back(static_cast<Agent>(first));
}

void Run::gave_way(Agent agent) {
  scheduler_->yielded(agent);
  if (agent >= kMaxThreads) return;
  const uint64_t bit = uint64_t{1} << agent;
  gave_way_twice_ |= gave_way_ & bit;
  gave_way_ |= bit;
}

void Run::wake_by_clock(Thread& one) {
  now_ns_ = std::max(now_ns_, one.until_ns);
  one.woken = Woken::kByTime;
  one.state = Thread::State::kAble;
  gave_way_ = gave_way_twice_ = 0;
}

Agent Run::next_agent() {
  gather_able();
  if (able_.empty()) {
    uintptr_t where = 0;
    for (ThreadId id = thread_count_; id-- > 0;)
      if (threads_[id].state == Thread::State::kBlocked && next_[id].pc != 0) where = next_[id].pc;
    fail(Outcome::Kind::kDeadlock, "every thread waits for another", where);
  }
  if (in_a_row_ > kSameThread) {
    gave_way(last_);
    in_a_row_ = 0;
  }
  const Agent chosen = scheduler_->pick(able_, next_.data());
  in_a_row_ = chosen == last_ ? in_a_row_ + 1 : 0;
  last_ = chosen;
  now_ns_ += kStepNs;
  if (recording_) {
    auto& schedule = recording_->decisions.schedule;
    if (schedule.empty() || schedule.back().agent != chosen) schedule.push_back({chosen, 0});
    ++schedule.back().steps;
  }
  return chosen;
}

void Run::leave() {
  const ThreadId me = self_;
  for (;;) {
    const Agent chosen = next_agent();
    if (chosen >= kMaxThreads) {
      act(chosen);
      continue;
    }
    Thread& next = threads_[chosen];
    if (next.state == Thread::State::kBlocked) wake_by_clock(next);
    if (chosen == me && next.state == Thread::State::kAble) return;
    self_ = chosen;
    Fiber::run(threads_[me].fiber, next.fiber);
    return;  // somebody chose this thread
  }
}

void Run::act(Agent agent) {
  const ThreadId target = agent % kMaxThreads;
  if (agent < kFenceOf) {
    note(agent, {Kind::kFlush});
    memory_.flush_one(target);
  } else {
    note(agent, {Kind::kFenced});
    did(fenced(target), 0);
  }
}

void Run::count_step(ThreadId id) {
  Thread& me = threads_[id];
  ++me.steps;
  ++steps_ever_;
  if (++outcome_.steps > settings_.step_limit)
    fail(Outcome::Kind::kLivelock, "no end after " + std::to_string(settings_.step_limit) + " steps", next_[id].pc);
  if (me.progress_bound != 0 && ++me.progress_steps > me.progress_bound)
    fail(Outcome::Kind::kNoProgress, "no progress within " + std::to_string(me.progress_bound) + " steps", next_[id].pc);
}

void Run::point(const Step& step) {
  next_[self_] = step;
  threads_[self_].fiber.used_to(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)));
  if (step.size != 0 && step.writes()) threads_[self_].looks = 0;
  count_step(self_);
  maybe_handle();
  next_[self_] = step;
  leave();
  note(static_cast<Agent>(self_), step);
}

void Run::yield(const Step& step) {
  gave_way(static_cast<Agent>(self_));
  point(step);
}

Woken Run::block(const void* object, const char* how, uint64_t until_ns) {
  Thread& me = threads_[self_];
  me.waits_for = object;
  me.waits_how = how;
  me.until_ns = until_ns;
  me.blocked_at = outcome_.steps;
  me.may_be_early = until_ns != 0 && fault(kEarlyTimeout);
  me.woken = Woken::kByAnother;
  me.state = Thread::State::kBlocked;
  leave();
  return me.woken;
}

unsigned Run::wake(const void* object, unsigned at_most) {
  std::array<ThreadId, kMaxThreads> waiting;
  unsigned count = 0;
  for (ThreadId id = 0; id < thread_count_; ++id)
    if (threads_[id].state == Thread::State::kBlocked && threads_[id].waits_for == object) waiting[count++] = id;
  const unsigned from = count > at_most ? draw(count) : 0;
  for (unsigned i = 0; i < std::min(count, at_most); ++i) threads_[waiting[(from + i) % count]].state = Thread::State::kAble;
  return std::min(count, at_most);
}
/// @}

/// A thread that only looks again and again waits for time to pass, and it would be long if each look took one step's.
uint64_t Run::look_at_clock(uintptr_t pc) {
  constexpr uint32_t kUsual = 16, kFastest = 30;
  point({Kind::kClock, Order::kRelaxed, 0, 0, pc});
  const uint32_t looks = ++threads_[self_].looks;
  if (looks > kUsual) now_ns_ += kStepNs << std::min(looks - kUsual, kFastest);
  did(now_ns_, 0);
  return now_ns_;
}

/// \name Chance
/// @{

unsigned Run::draw_for(ThreadId id, unsigned count) {
  if (count < 2) return 0;
  unsigned chosen = 0;
  if (followed_) {
    const auto& choices = followed_->choices[id];
    size_t& at = followed_choices_[id];
    chosen = at < choices.size() ? std::min<unsigned>(choices[at++], count - 1) : 0;
  } else {
    chosen = static_cast<unsigned>(chance_.below(count));
  }
  if (recording_) recording_->decisions.choices[id].push_back(static_cast<uint8_t>(chosen));
  return chosen;
}

unsigned Run::choose(unsigned count) {
  Thread& me = threads_[self_];
  // By place: a loop that looks at one must end, and who scans many may see each of them old.
  if (me.old_values_of != next_[self_].address) me.old_values = 0;
  me.old_values_of = next_[self_].address;
  unsigned chosen = 0;
  if (followed_) {
    chosen = draw(count);
  } else {
    if (me.old_values < settings_.stale_in_a_row && chance_.below(100) < settings_.stale_percent)
      chosen = 1 + static_cast<unsigned>(chance_.below(count - 1));
    if (recording_) recording_->decisions.choices[self_].push_back(static_cast<uint8_t>(std::min(chosen, 255u)));
  }
  me.old_values = chosen == 0 ? 0 : me.old_values + 1;
  if (recording_ && chosen != 0 && !recording_->events.empty()) recording_->events.back().old = true;
  return chosen;
}

bool Run::fault(FaultBits kind) {
  constexpr uint64_t kOneIn = 8;
  if ((settings_.faults & kind) == 0) return false;
  if (followed_) return draw(2) != 0;
  const bool yes = chance_.one_in(kOneIn);
  if (recording_) recording_->decisions.choices[self_].push_back(yes);
  return yes;
}

void Run::set_handler(void (*handler)()) {
  Thread& me = threads_[self_];
  me.handler = handler;
  me.handler_at = 0;
  if (!handler || (settings_.faults & kHandlers) == 0) return;
  if (recording_) recording_->decisions.handlers[self_].push_back(0);
  if (followed_) {
    const auto& handlers = followed_->handlers[self_];
    size_t& at = followed_handlers_[self_];
    me.handler_at = at < handlers.size() ? handlers[at++] : 0;
  } else if (settings_.handler_at != 0) {
    me.handler_at = me.steps + settings_.handler_at;
  } else {
    me.handler_at = me.steps + 1 + static_cast<uint32_t>(chance_.below(1 + settings_.steps_expected / thread_count_));
  }
}

void Run::maybe_handle() {
  Thread& me = threads_[self_];
  if (me.handler == nullptr || me.steps != me.handler_at) return;
  const auto handler = me.handler;
  me.handler = nullptr;
  if (recording_) recording_->decisions.handlers[self_].back() = me.handler_at;
  point({Kind::kHandler});
  engaged = this;
  handler();
  engaged = nullptr;
}
/// @}

/// \name What is told of it
/// @{

void Run::note(Agent agent, const Step& step) {
  mix(uint64_t{agent} << 8 | static_cast<uint64_t>(step.kind));
  mix(without_load_address(step.address));
  if (!recording_) return;
  recording_->events.push_back({agent, step});
  if (spin_locks_.contains(step.address)) note_callers(step.pc);
}

void Run::did(Value read, Value written, bool changed) {
  // Values may be pointers.
  const auto from_0 = [](Value value) { return without_load_address(static_cast<uintptr_t>(value)); };
  mix(from_0(read) ^ from_0(written) << 1 ^ (changed ? 0 : 7));
  if (!recording_ || recording_->events.empty()) return;
  Event& event = recording_->events.back();
  event.read = read;
  event.written = written;
  event.changed = changed;
}

/// The arena was all 0 when the execution began. Code that nobody sees writes, too, and where it did not leave 0 it shows: also in
/// front of an end of text, which is 0 itself.
static bool written_unseen(const Access& now) {
  const auto* const first = reinterpret_cast<const char*>(now.address);
  if (!in_arena(first)) return false;
  if (std::any_of(first, first + now.size, [](char byte) { return byte != 0; })) return true;
  return arena_size(first) == 0 && first[-1] != 0;
}

void Run::fault(Fault kind, const Access& now, const Access* before) {
  if (kind == Fault::kUninitialised && written_unseen(now)) return;
  const char* what = "a bad free";
  if (kind == Fault::kRace) what = now.free || (before && before->free) ? "a free races with an access" : "a data race";
  if (kind == Fault::kFreed) what = "an access to freed memory";
  if (kind == Fault::kUninitialised) what = "a read of memory that was never written";
  fail(Outcome::Kind::kFault, what, now.pc, before ? before->pc : 0);
}
/// @}

}  // namespace engine
