// For tests: an execution that chooses what it is told, and writes down what is wrong; threads' accesses in few words.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "harness/engine/memory.hpp"

namespace engine {

class Scripted final : public Execution {
 public:
  struct Seen {
    Fault fault;
    Access now;
    std::optional<Access> before;
  };

  unsigned choose(unsigned count) override {
    counts.push_back(count);
    if (choices.empty()) return oldest ? count - 1 : 0;
    const unsigned choice = choices.front();
    choices.pop_front();
    return choice < count ? choice : count - 1;
  }
  void fault(Fault what, const Access& now, const Access* before) override {
    seen.push_back({what, now, before ? std::optional(*before) : std::nullopt});
  }

  std::deque<unsigned> choices;
  bool oldest = true;            ///< What is chosen when nothing is said.
  std::vector<unsigned> counts;  ///< How many possibilities there were, each time.
  std::vector<Seen> seen;
};

/// One thread of a Memory, and its accesses to objects of any integer type.
class Actor {
 public:
  Actor(Memory& memory, ThreadId id) : memory_(&memory), id_(id) {}

  template <class T>
  T load(const T& object, Order order) const {
    return static_cast<T>(memory_->load(id_, &object, sizeof(T), order, pc_ + 1));
  }
  template <class T>
  void store(T& object, T value, Order order) const {
    memory_->store(id_, &object, sizeof(T), static_cast<Value>(value), order, pc_ + 2);
  }
  template <class T>
  T add(T& object, T value, Order order) const {
    return static_cast<T>(memory_->modify(id_, &object, sizeof(T), [](Value old, Value more) { return old + more; },
                                          static_cast<Value>(value), order, pc_ + 3));
  }
  template <class T>
  T exchange(T& object, T value, Order order) const {
    return static_cast<T>(memory_->modify(id_, &object, sizeof(T), [](Value, Value now) { return now; },
                                          static_cast<Value>(value), order, pc_ + 3));
  }
  template <class T>
  bool exchange_if(T& object, T& expected, T desired, Order success, Order failure) const {
    Value value = static_cast<Value>(expected);
    const bool done = memory_->exchange_if(id_, &object, sizeof(T), value, static_cast<Value>(desired), success, failure, pc_ + 4);
    expected = static_cast<T>(value);
    return done;
  }
  void fence(Order order) const { memory_->fence(id_, order); }
  void membarrier(std::initializer_list<ThreadId> targets) const {
    memory_->membarrier_begin(id_);
    for (ThreadId target : targets) memory_->membarrier_at(id_, target);
    memory_->membarrier_end(id_);
  }
  template <class T>
  T read(const T& object) const {
    memory_->read(id_, &object, sizeof(T), pc_ + 5);
    return object;
  }
  template <class T>
  void write(T& object, T value) const {
    memory_->write(id_, &object, sizeof(T), pc_ + 6);
    object = value;
  }
  void free(const void* object, size_t size) const { memory_->freed(id_, object, size, pc_ + 7); }
  void lock(const void* object) const { memory_->acquire_from(id_, object); }
  void unlock(const void* object) const { memory_->release_to(id_, object); }
  ThreadId id() const { return id_; }

 private:
  Memory* memory_;
  ThreadId id_;
  uintptr_t pc_ = 0x1000 * (id_ + 1);  ///< Tells accesses apart in reports.
};

/// A memory with threads 1 to 4, started at once, beside 0.
struct World {
  explicit World(Model model = Model::kCpp) : memory(script, model) { begin(model); }
  void begin(Model model) {
    memory.begin(model);
    for (ThreadId id = 1; id <= 4; ++id) memory.start(id, 0);
  }

  Scripted script;
  Memory memory;
  Actor t0{memory, 0}, t1{memory, 1}, t2{memory, 2}, t3{memory, 3}, t4{memory, 4};
};

inline constexpr Order rlx = Order::kRelaxed, con = Order::kConsume, acq = Order::kAcquire, rel = Order::kRelease,
                       acq_rel = Order::kAcqRel, sc = Order::kSeqCst;

}  // namespace engine
