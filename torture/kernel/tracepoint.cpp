#include "torture/kernel/tracepoint.hpp"

#include <fnmatch.h>

#include "harness/base/random.hpp"
#include "srcu/platform/complain.hpp"
#include "srcu/platform/env.hpp"
#include "torture/kernel/lock.hpp"
#include "torture/kernel/points.hpp"
#include "torture/kernel/settings.hpp"

namespace torture::kernel {

constinit Tracepoint sched_wakeup{"sched:wakeup"}, sched_switch{"sched:switch"}, timer_start{"timer:start"},
    timer_expire{"timer:expire"}, workqueue_queue{"workqueue:queue"}, workqueue_execute{"workqueue:execute"},
    irq_work_queued{"irq_work:queue"}, srcu_sdp_locked{"srcu:sdp_locked"}, srcu_sup_locked{"srcu:sup_locked"};

namespace {

thread_local bool in_program = false;
std::atomic<uint64_t> left_out{0};
std::atomic<uint32_t> running{0};
std::atomic<uint64_t> next_stream{0};

// Each thread's own.
bool one_in(unsigned n) {
  // relaxed: numbers, no more
  thread_local harness::Random random(settings.seed, "program", next_stream.fetch_add(1, std::memory_order_relaxed));
  return random.one_in(n);
}

void run(const Program& program) {
  if (program.one_in > 1 && !one_in(program.one_in)) return;
  if (in_program) {
    left_out.fetch_add(1, std::memory_order_relaxed);  // relaxed: a statistic
    return;
  }
  in_program = true;
  program.run(program.argument);
  in_program = false;
}

}  // namespace

thread_local constinit AttachedHere* Tracepoint::attached_here = nullptr;

void Tracepoint::run_programs() {
  if (attached_here && &attached_here->point_ == this) run(attached_here->program_);
  running.fetch_add(1, std::memory_order_seq_cst);  // before the look: pairs with ~Attached()
  for (const auto& each : programs_)
    if (const Program* program = each.load(std::memory_order_seq_cst)) run(*program);
  running.fetch_sub(1, std::memory_order_release);  // pairs with the acquire in ~Attached()
}

namespace {

struct Place {
  Tracepoint* point;
  const char* words;
};

const Place places[] = {
    {&rq_kind.taken, "a runqueue's lock was just taken: to wake a task, by one that goes to sleep, by a tick"},
    {&pi_kind.taken, "a task's pi_lock was just taken, to wake it"},
    {&base_kind.taken, "a timer base's lock was just taken: to arm a timer, to run what is due, to look for delayed work"},
    {&pool_kind.taken, "a worker pool's lock was just taken: to queue work, by a worker that takes work, ends it or goes idle"},
    {&slab_kind.taken, "the allocator's lock was just taken, in the context malloc"},
    {&sched_wakeup, "a task is being woken: its pi_lock and its runqueue's lock are held"},
    {&sched_switch, "a task goes to sleep: its runqueue's lock is held"},
    {&timer_start, "a timer is being armed, or work delayed: a timer base's lock is held"},
    {&timer_expire, "a timer's function is about to run, or delayed work to be queued: softirq, no lock is held"},
    {&workqueue_queue, "work is being queued: the pool's lock is held"},
    {&workqueue_execute, "a worker is about to run work: no lock is held"},
    {&irq_work_queued, "an irq_work is about to be queued: whatever its caller holds"},
    {&srcu_sdp_locked, "SRCU has just taken its callback list's lock"},
    {&srcu_sup_locked, "SRCU has just taken its update side's lock"},
};

}  // namespace

const std::vector<Tracepoint*>& tracepoints() {
  static const std::vector<Tracepoint*> all = [] {
    std::vector<Tracepoint*> found;
    for (const Place& place : places) found.push_back(place.point);
    return found;
  }();
  return all;
}

const char* where_it_stands(const Tracepoint& point) {
  for (const Place& place : places)
    if (place.point == &point) return place.words;
  return "";
}

std::vector<Tracepoint*> tracepoints_like(const std::string& pattern) {
  std::vector<Tracepoint*> found;
  for (Tracepoint* point : tracepoints())
    if (fnmatch(pattern.c_str(), point->name(), 0) == 0) found.push_back(point);
  return found;
}

Attached::Attached(std::vector<Tracepoint*> points, Program program) : points_(std::move(points)), program_(program) {
  for (Tracepoint* point : points_) {
    bool found = false;
    for (auto& each : point->programs_) {
      const Program* none = nullptr;
      // seq_cst: brings the program along
      if ((found = each.compare_exchange_strong(none, &program_, std::memory_order_seq_cst))) break;
    }
    if (!found) srcu::die("no room for another program at %s", point->name());
    point->attached_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a switch
  }
}

Attached::~Attached() {
  for (Tracepoint* point : points_) {
    for (auto& each : point->programs_) {
      const Program* mine = &program_;
      if (each.compare_exchange_strong(mine, nullptr, std::memory_order_seq_cst)) break;
    }
    point->attached_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a switch
  }
  // A thread that came before sees the program, and is counted; one that comes later sees none.
  while (running.load(std::memory_order_seq_cst) != 0) srcu::env::sleep_ns(10'000);
}

uint64_t programs_left_out() { return left_out.load(std::memory_order_relaxed); }  // relaxed: a statistic

}  // namespace torture::kernel
