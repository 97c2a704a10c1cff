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
class Synchronizing : public testing::TestWithParam<Flavor> {};

TEST_P(Synchronizing, GracePeriodWaitsForTheReader) {
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

// What only some offer. A flavour that offers none of it is left out, not skipped, so that a skip is always
// news.
class Polled : public testing::TestWithParam<Flavor> {};

TEST_P(Polled, CookieWaitsForTheSectionThatTookItAndForNoMore) {
  const Ops& ops = *GetParam().ops;
  void* dom = ops.create();
  void* ctx = ops.thread_register ? ops.thread_register(dom) : nullptr;
  const uint64_t token = ops.read_lock(dom, ctx);
  // Two updaters: one may be past the point at which it looks for readers when the cookie is taken.
  std::atomic<int> ended{0};
  const auto update = [&] { ops.synchronize(dom, nullptr), ++ended; };
  std::thread first(update);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const uint64_t cookie = ops.get_state(dom);
  std::thread second(update);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(ops.poll_state(dom, cookie));
  ops.read_unlock(dom, ctx, token);
  if (ops.offline) ops.offline(dom, ctx);
  first.join();
  second.join();
  ops.synchronize(dom, nullptr);
  if (ops.online) ops.online(dom, ctx);
  EXPECT_TRUE(ops.poll_state(dom, cookie));
  EXPECT_FALSE(ops.poll_state(dom, ops.get_state(dom))) << "get_state starts nothing";
  if (ops.thread_unregister) ops.thread_unregister(dom, ctx);
}

TEST_P(Polled, StartedGracePeriodEndsByItself) {
  const Ops& ops = *GetParam().ops;
  void* dom = ops.create();
  const uint64_t cookie = ops.start_poll(dom, nullptr);
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!ops.poll_state(dom, cookie) && std::chrono::steady_clock::now() < patience)
    std::this_thread::yield();
  EXPECT_TRUE(ops.poll_state(dom, cookie));
}

class Counting : public testing::TestWithParam<Flavor> {};

TEST_P(Counting, SequenceCountsGracePeriods) {
  const Ops& ops = *GetParam().ops;
  void* dom = ops.create();
  for (int i = 0; i < 3; ++i) {
    const uint64_t before = ops.gp_seq(dom);
    ops.synchronize(dom, nullptr);
    EXPECT_EQ(ops.gp_seq(dom), before + 1);
  }
}

TEST_P(Counting, BalanceIsTheNumberOfOpenSections) {
  const Ops& ops = *GetParam().ops;
  void* dom = ops.create();
  void* ctx = ops.thread_register ? ops.thread_register(dom) : nullptr;
  EXPECT_EQ(ops.reader_balance(dom), 0);
  const uint64_t outer = ops.read_lock(dom, ctx), inner = ops.read_lock(dom, ctx);
  EXPECT_EQ(ops.reader_balance(dom), 2);
  ops.read_unlock(dom, ctx, inner);
  ops.read_unlock(dom, ctx, outer);
  EXPECT_EQ(ops.reader_balance(dom), 0);
  if (ops.thread_unregister) ops.thread_unregister(dom, ctx);
}

TEST_P(Counting, PendingBytesAreThoseOfWaitingCallbacks) {
  const Ops& ops = *GetParam().ops;
  void* dom = ops.create();
  EXPECT_EQ(ops.pending_bytes(dom), 0U);
  void* ctx = ops.thread_register ? ops.thread_register(dom) : nullptr;
  const uint64_t token = ops.read_lock(dom, ctx);
  Counted counted;
  std::thread poster([&] { ops.call(dom, nullptr, &counted.head, count); });
  while (ops.pending_bytes(dom) == 0) std::this_thread::yield();
  EXPECT_EQ(counted.runs, 0);
  ops.read_unlock(dom, ctx, token);
  if (ops.thread_unregister) ops.thread_unregister(dom, ctx);
  poster.join();
  ops.barrier(dom, nullptr);
  EXPECT_EQ(counted.runs, 1);
  EXPECT_EQ(ops.pending_bytes(dom), 0U);
}

std::vector<Flavor> offering(auto... members) {
  std::vector<Flavor> list;
  for (const Flavor& flavor : flavors()) {
    if (flavor.trips.empty() && (... && (flavor.ops->*members))) list.push_back(flavor);
  }
  return list;
}

std::string test_name(const testing::TestParamInfo<Flavor>& info) {
  std::string name = info.param.ops->name;
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, EveryFlavor, testing::ValuesIn(flavors()), test_name);
INSTANTIATE_TEST_SUITE_P(All, SoundFlavor, testing::ValuesIn(offering()), test_name);
INSTANTIATE_TEST_SUITE_P(All, Synchronizing, testing::ValuesIn(offering(&Ops::synchronize)), test_name);
INSTANTIATE_TEST_SUITE_P(All, Polled, testing::ValuesIn(offering(&Ops::get_state, &Ops::start_poll)),
                         test_name);
INSTANTIATE_TEST_SUITE_P(All, Counting,
                         testing::ValuesIn(offering(&Ops::gp_seq, &Ops::reader_balance, &Ops::pending_bytes)),
                         test_name);

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
  const Ops sound = *find_flavor("urcu-memb").ops;
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
