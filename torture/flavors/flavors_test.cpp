#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "harness/base/errors.hpp"
#include "torture/flavors/registry.hpp"

namespace torture {
namespace {

struct Counted {
  srcutorture_head head;
  std::atomic<int> runs{0};
};
void count(srcutorture_head* head) { ++reinterpret_cast<Counted*>(head)->runs; }

class EveryFlavor : public testing::TestWithParam<Flavor> {};

TEST_P(EveryFlavor, TableCanBeUsed) { EXPECT_EQ(refusal(*GetParam().ops), ""); }

class SoundFlavor : public testing::TestWithParam<Flavor> {};

TEST_P(SoundFlavor, GracePeriodWaitsForTheReader) {
  const Ops& ops = *GetParam().ops;
  void* dom = ops.create();
  std::atomic<bool> inside{false}, release{false}, done{false};
  std::thread reader([&] {
    void* ctx = ops.thread_register ? ops.thread_register(dom) : nullptr;
    const uint64_t token = ops.read_lock(dom, ctx);
    inside = true;
    while (!release) std::this_thread::yield();
    EXPECT_FALSE(done) << "the grace period ended inside the section";
    ops.read_unlock(dom, ctx, token);
    if (ops.quiescent_state) ops.quiescent_state(dom, ctx);
    if (ops.thread_unregister) ops.thread_unregister(dom, ctx);
  });
  while (!inside) std::this_thread::yield();
  std::thread updater([&] {
    ops.synchronize(dom, nullptr);
    done = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(done);
  release = true;
  reader.join();
  updater.join();
}

TEST_P(SoundFlavor, BarrierWaitsForCallbacks) {
  const Ops& ops = *GetParam().ops;
  void* dom = ops.create();
  void* ctx = ops.thread_register ? ops.thread_register(dom) : nullptr;
  Counted heads[100];
  for (Counted& counted : heads) ops.call(dom, ctx, &counted.head, count);
  ops.barrier(dom, ctx);
  for (Counted& counted : heads) EXPECT_EQ(counted.runs, 1);
  if (ops.thread_unregister) ops.thread_unregister(dom, ctx);
}

std::vector<Flavor> sound() {
  std::vector<Flavor> list;
  for (const Flavor& flavor : flavors()) {
    if (flavor.trips.empty()) list.push_back(flavor);
  }
  return list;
}

std::string test_name(const testing::TestParamInfo<Flavor>& info) {
  std::string name = info.param.ops->name;
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, EveryFlavor, testing::ValuesIn(flavors()), test_name);
INSTANTIATE_TEST_SUITE_P(All, SoundFlavor, testing::ValuesIn(sound()), test_name);

TEST(Registry, NamesAreOneOfAKindAndCanariesExist) {
  std::set<std::string> names;
  for (const Flavor& flavor : flavors()) {
    EXPECT_TRUE(names.insert(flavor.ops->name).second) << flavor.ops->name;
    EXPECT_EQ(std::string(flavor.ops->name).starts_with("busted_"), !flavor.trips.empty());
    if (!flavor.canary.empty()) {
      EXPECT_FALSE(find_flavor(flavor.canary).trips.empty());
    }
  }
}

TEST(Registry, UnknownNameNamesTheNearest) {
  try {
    find_flavor("urcu-mem");
    FAIL();
  } catch (const harness::UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("urcu-memb"), std::string::npos) << error.what();
  }
}

TEST(Refusal, EachFaultIsNamed) {
  const Ops sound = *flavors().front().ops;
  const auto refused = [&sound](auto spoil, const char* word) {
    Ops ops = sound;
    spoil(ops);
    EXPECT_NE(refusal(ops).find(word), std::string::npos) << word << ": " << refusal(ops);
  };
  refused([](Ops& o) { o.version = 7; }, "version 7");
  refused([](Ops& o) { o.size = 8; }, "size 8");
  refused([](Ops& o) { o.name = nullptr; }, "name");
  refused([](Ops& o) { o.name = "a b"; }, "blank");
  refused([](Ops& o) { o.facts |= uint64_t{1} << 60; }, "facts");
  refused([](Ops& o) { o.create = nullptr; }, "create");
  refused([](Ops& o) { o.read_unlock = nullptr; }, "read_unlock");
  refused([](Ops& o) { o.synchronize = nullptr, o.call = nullptr; }, "neither");
  refused([](Ops& o) { o.thread_unregister = nullptr; }, "thread_unregister");
  refused([](Ops& o) { o.facts |= SRCUTORTURE_GP_SEQ_EXACT; }, "gp_seq");
  refused([](Ops& o) { o.facts = SRCUTORTURE_CALLBACKS_INLINE, o.call = nullptr, o.barrier = nullptr; },
          "no call");
  refused([](Ops& o) { o.facts = 0, o.call = nullptr; }, "barrier");
}

}  // namespace
}  // namespace torture
