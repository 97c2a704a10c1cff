// Readers and updaters together on every sound flavour: nobody starves, and nothing dies under a reader.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <list>
#include <memory>
#include <thread>

#include "torture/flavors/registry.hpp"

namespace torture {
namespace {

struct Box {
  srcutorture_head head;
  std::atomic<bool> alive{true};
};
void bury(srcutorture_head* head) { reinterpret_cast<Box*>(head)->alive = false; }

/// Boxes are buried, never freed before the end: a broken flavour fails an expectation instead of crashing.
class Smoke {
 public:
  explicit Smoke(const Ops& ops) : ops_(ops), dom_(ops.create()) { slots_[0] = slots_[1] = &first_; }

  void run() {
    std::thread threads[] = {std::thread(&Smoke::read, this, 0), std::thread(&Smoke::read, this, 1),
                             std::thread(&Smoke::update, this, 0), std::thread(&Smoke::update, this, 1)};
    for (std::thread& thread : threads) thread.join();
    ops_.barrier(dom_, nullptr);
    if (ops_.destroy) ops_.destroy(dom_);
    EXPECT_EQ(deaths_seen_, 0);
    for (const auto& old : replaced_) {
      for (const Box* box : old) EXPECT_TRUE(box == &first_ || !box->alive);
    }
  }

 private:
  static constexpr int kRounds = 40, kSections = 200;

  void read(int who) {
    void* ctx = ops_.thread_register ? ops_.thread_register(dom_) : nullptr;
    while (updaters_ > 0) {
      const uint64_t outer = ops_.read_lock(dom_, ctx);
      const Box* box = look(ctx, slots_[sections_[who] % 2]);
      const uint64_t inner = ops_.read_lock(dom_, ctx);
      ops_.read_unlock(dom_, ctx, inner);
      std::this_thread::yield();
      if (!box->alive) ++deaths_seen_;
      ops_.read_unlock(dom_, ctx, outer);
      if (ops_.quiescent_state) ops_.quiescent_state(dom_, ctx);
      ++sections_[who];
    }
    if (ops_.thread_unregister) ops_.thread_unregister(dom_, ctx);
  }

  const Box* look(void* ctx, std::atomic<Box*>& slot) {
    if (!ops_.protect) return slot;
    return static_cast<Box*>(ops_.protect(dom_, ctx, reinterpret_cast<void**>(&slot)));
  }

  // Goes on until both readers got through: if updaters starve them, or they the updaters, the test runs out
  // of time.
  void update(int who) {
    void* ctx = ops_.thread_register ? ops_.thread_register(dom_) : nullptr;
    for (int round = 0; round < kRounds || sections_[0] < kSections || sections_[1] < kSections; ++round) {
      Box* old = slots_[who];
      slots_[who] = &fresh_[who].emplace_back();
      if (old != &first_) retire(old, ctx, round % 2 == 0);
      replaced_[who].push_back(old);
    }
    if (ops_.thread_unregister) ops_.thread_unregister(dom_, ctx);
    --updaters_;
  }

  void retire(Box* box, void* ctx, bool by_call) {
    if (by_call || !ops_.synchronize) return ops_.call(dom_, ctx, &box->head, bury);
    ops_.synchronize(dom_, ctx);
    box->alive = false;
  }

  const Ops& ops_;
  void* dom_;
  Box first_;
  std::array<std::list<Box>, 2> fresh_;
  std::array<std::list<Box*>, 2> replaced_;
  std::array<std::atomic<Box*>, 2> slots_;
  std::array<std::atomic<int>, 2> sections_{};
  std::atomic<int> updaters_{2}, deaths_seen_{0};
};

class SmokeTest : public testing::TestWithParam<const Ops*> {};

TEST_P(SmokeTest, ReadersAndUpdatersTogether) { Smoke(*GetParam()).run(); }

std::vector<const Ops*> sound() {
  std::vector<const Ops*> list;
  for (const Flavor& flavor : flavors()) {
    if (flavor.trips.empty()) list.push_back(flavor.ops);
  }
  return list;
}

std::string test_name(const testing::TestParamInfo<const Ops*>& info) {
  std::string name = info.param->name;
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Sound, SmokeTest, testing::ValuesIn(sound()), test_name);

}  // namespace
}  // namespace torture
