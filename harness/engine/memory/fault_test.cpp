// Data races, and the life of objects.
#include <gtest/gtest.h>

#include "harness/engine/memory/scripted.hpp"

namespace engine {
namespace {

struct FaultTest : testing::Test, World {
  /// Whether that is all that was seen since the last time.
  testing::AssertionResult saw(std::initializer_list<Fault> expected) {
    std::vector<Fault> got;
    for (const auto& each : script.seen) got.push_back(each.fault);
    const bool same = got == std::vector<Fault>(expected);
    script.seen.clear();
    if (same) return testing::AssertionSuccess();
    return testing::AssertionFailure() << got.size() << " faults: " << testing::PrintToString(got);
  }
  testing::AssertionResult nothing() { return saw({}); }

  alignas(16) uint64_t cells[8] = {};
  uint64_t &x = cells[0], &y = cells[1], &z = cells[2];
};

TEST_F(FaultTest, PlainRaces) {
  t1.write(x, uint64_t{1});
  t2.read(x);
  EXPECT_TRUE(saw({Fault::kRace}));
  t3.write(x, uint64_t{2});
  EXPECT_TRUE(saw({Fault::kRace}));
  t1.read(y);
  t2.read(y);
  EXPECT_TRUE(nothing()) << "reads";
  t2.write(y, uint64_t{1});
  EXPECT_TRUE(saw({Fault::kRace})) << "with the other's read";
}

TEST_F(FaultTest, SaysWhoAndWhere) {
  t1.write(x, uint64_t{1});
  t2.read(x);
  ASSERT_EQ(script.seen.size(), 1u);
  const auto& seen = script.seen[0];
  EXPECT_EQ(seen.now.thread, 2u);
  EXPECT_FALSE(seen.now.write);
  ASSERT_TRUE(seen.before);
  EXPECT_EQ(seen.before->thread, 1u);
  EXPECT_TRUE(seen.before->write);
  EXPECT_EQ(seen.before->pc, 0x2006u);
  EXPECT_EQ(seen.before->address, reinterpret_cast<uintptr_t>(&x));
  EXPECT_EQ(seen.before->size, 8u);
}

TEST_F(FaultTest, OrderedAccessesDoNotRace) {
  t1.write(x, uint64_t{1});
  t1.store(y, uint64_t{1}, rel);
  script.choices = {0};
  t2.load(y, acq);
  t2.read(x);
  t2.write(x, uint64_t{2});
  EXPECT_TRUE(nothing());
  t1.read(x);
  EXPECT_TRUE(saw({Fault::kRace})) << "the way back is not ordered";
}

TEST_F(FaultTest, EveryReaderIsRemembered) {
  for (const Actor* reader : {&t1, &t2, &t3}) reader->read(x);
  memory.join(4, 2);
  memory.join(4, 3);
  t4.write(x, uint64_t{1});
  EXPECT_TRUE(saw({Fault::kRace})) << "with thread 1";
}

TEST_F(FaultTest, WriteIsRememberedBehindReads) {
  t1.write(x, uint64_t{1});
  t1.unlock(&z);
  t2.lock(&z);
  t2.read(x);
  t1.read(x);
  t3.read(x);
  EXPECT_TRUE(saw({Fault::kRace}));
}

TEST_F(FaultTest, BytesOfOneCellAreApart) {
  auto* bytes = reinterpret_cast<uint8_t*>(&x);
  for (int i = 0; i < 4; ++i) Actor(memory, 1 + i % 4).write(bytes[i], uint8_t{1});
  EXPECT_TRUE(nothing());
  t1.read(bytes[1]);
  EXPECT_TRUE(saw({Fault::kRace}));
  auto* half = reinterpret_cast<uint16_t*>(&y);
  t1.write(half[1], uint16_t{1});
  t2.write(half[2], uint16_t{1});
  EXPECT_TRUE(nothing());
  t3.read(half[2]);
  EXPECT_TRUE(saw({Fault::kRace}));
}

TEST_F(FaultTest, PartOfAWriteIsNotForgottenWithAnother) {
  auto* bytes = reinterpret_cast<uint8_t*>(&x);
  t1.write(x, uint64_t{1});
  t1.unlock(&z);
  t1.write(bytes[0], uint8_t{2});
  t2.read(bytes[7]);
  EXPECT_TRUE(saw({Fault::kRace}));
}

TEST_F(FaultTest, WriteAfterAReleaseIsNotInIt) {
  t1.write(x, uint64_t{1});
  t1.unlock(&z);
  t1.write(x, uint64_t{2});
  t2.lock(&z);
  t2.read(x);
  EXPECT_TRUE(saw({Fault::kRace}));
}

TEST_F(FaultTest, LongAndCrookedRanges) {
  memory.write(1, reinterpret_cast<char*>(cells) + 3, 30, 0);
  memory.read(2, reinterpret_cast<char*>(cells), 3, 0);
  memory.read(2, reinterpret_cast<char*>(cells) + 33, 20, 0);
  EXPECT_TRUE(nothing());
  memory.read(2, reinterpret_cast<char*>(cells) + 32, 1, 0);
  EXPECT_TRUE(saw({Fault::kRace}));
  memory.read(2, reinterpret_cast<char*>(cells) + 3, 0, 0);
  EXPECT_TRUE(nothing());
}

TEST_F(FaultTest, AtomicAccessesDoNotRaceWithEachOther) {
  t1.store(x, uint64_t{1}, rlx);
  t2.store(x, uint64_t{2}, rlx);
  t3.load(x, rlx);
  t4.add(x, uint64_t{1}, rlx);
  EXPECT_TRUE(nothing());
}

TEST_F(FaultTest, AtomicAgainstPlain) {
  t1.store(x, uint64_t{1}, rlx);
  t2.read(x);
  EXPECT_TRUE(saw({Fault::kRace}));
  t1.load(y, rlx);
  t2.read(y);
  EXPECT_TRUE(nothing());
  t3.write(y, uint64_t{1});
  EXPECT_TRUE(saw({Fault::kRace})) << "with the load";
  t1.read(z);
  t2.load(z, rlx);
  EXPECT_TRUE(nothing());
  t2.store(z, uint64_t{1}, rlx);
  EXPECT_TRUE(saw({Fault::kRace})) << "with the plain read";
  t1.write(cells[3], uint64_t{1});
  t2.load(cells[3], rlx);
  EXPECT_TRUE(saw({Fault::kRace}));
}

TEST_F(FaultTest, FailedCompareExchangeWritesNothing) {
  uint64_t expected = 5;
  t1.read(x);
  EXPECT_FALSE(t2.exchange_if(x, expected, uint64_t{1}, rlx, rlx));
  EXPECT_TRUE(nothing());
  expected = 0;
  EXPECT_TRUE(t2.exchange_if(x, expected, uint64_t{1}, rlx, rlx));
  EXPECT_TRUE(saw({Fault::kRace}));
}

TEST_F(FaultTest, PlainWriteIsTheNextAtomicValue) {
  t1.store(x, uint64_t{1}, rlx);
  t1.write(x, uint64_t{7});
  t1.unlock(&z);
  t2.lock(&z);
  EXPECT_EQ(t2.load(x, rlx), 7u);
  t2.store(x, uint64_t{8}, rlx);
  EXPECT_EQ(t1.load(x, rlx), 7u) << "and history goes on from it";
  EXPECT_TRUE(nothing());
}

TEST_F(FaultTest, PlainWriteOfTheSameValueEndsHistoryAllTheSame) {
  t1.store(x, uint64_t{1}, rlx);
  t1.store(x, uint64_t{2}, rlx);
  t1.write(x, uint64_t{2});
  t1.unlock(&z);
  t2.lock(&z);
  EXPECT_EQ(t2.load(x, rlx), 2u);
  EXPECT_TRUE(script.counts.empty());
}

TEST_F(FaultTest, WritesOfOthersAreFound) {
  t1.store(x, uint64_t{1}, rlx);
  x = 9;  // as a system call does
  EXPECT_EQ(t2.load(x, rlx), 9u);
}

TEST_F(FaultTest, AnotherSizeReadsTheNewestBytes) {
  auto* half = reinterpret_cast<uint32_t*>(&x);
  t1.store(x, uint64_t{0x0000000200000001}, rlx);
  EXPECT_EQ(t1.load(half[1], rlx), 2u);
  t1.store(half[1], 3u, rlx);
  EXPECT_EQ(t1.load(x, rlx), 0x0000000300000001u);
  EXPECT_TRUE(nothing());
}

TEST_F(FaultTest, AnotherSizeRaces) {
  auto* half = reinterpret_cast<uint32_t*>(&x);
  t1.store(half[0], 1u, rlx);
  t2.load(x, rlx);
  EXPECT_TRUE(saw({Fault::kRace}));
  t1.load(y, rlx);
  t2.load(reinterpret_cast<uint32_t&>(y), rlx);
  EXPECT_TRUE(nothing()) << "loads";
  t3.store(half[1], 1u, rlx);
  EXPECT_TRUE(saw({Fault::kRace})) << "with the load of the whole";
}

TEST_F(FaultTest, SixteenBytesAreTwoCells) {
  union {
    Value whole = 0;
    uint64_t half[2];
  } wide;
  t1.store(wide.whole, Value{1} << 64, rlx);
  EXPECT_EQ(wide.half[1], 1u);
  t2.load(wide.half[1], rlx);
  EXPECT_TRUE(saw({Fault::kRace}));
  t2.read(wide.half[1]);
  EXPECT_TRUE(saw({Fault::kRace}));
  t1.free(&wide, 16);
  EXPECT_TRUE(saw({Fault::kRace})) << "with the load of the second half";
}

struct ObjectTest : FaultTest {
  void allocate(bool zeroed = true) { memory.allocated(1, cells, 24, zeroed); }
};

TEST_F(ObjectTest, UseAfterFree) {
  allocate();
  t1.write(y, uint64_t{1});
  t1.free(cells, 24);
  EXPECT_TRUE(nothing());
  t1.read(y);
  ASSERT_EQ(script.seen.size(), 1u);
  ASSERT_TRUE(script.seen[0].before);
  EXPECT_TRUE(script.seen[0].before->free);
  EXPECT_EQ(script.seen[0].before->pc, 0x2007u);
  EXPECT_TRUE(saw({Fault::kFreed}));
  t1.load(x, rlx);
  EXPECT_TRUE(saw({Fault::kFreed})) << "never touched before";
  t1.store(z, uint64_t{1}, rlx);
  EXPECT_TRUE(saw({Fault::kFreed}));
  t1.read(cells[3]);
  EXPECT_TRUE(nothing()) << "beside it";
}

TEST_F(ObjectTest, FreeIsAWriteToTheWhole) {
  allocate();
  t1.unlock(&cells[7]);
  t2.lock(&cells[7]);
  t2.load(z, rlx);
  t1.free(cells, 24);
  EXPECT_TRUE(saw({Fault::kRace})) << "against atomic loads, too";
}

TEST_F(ObjectTest, FreeAfterTheLastUseIsFine) {
  allocate();
  t1.unlock(&cells[7]);
  t2.lock(&cells[7]);
  t2.load(z, rlx);
  t2.write(x, uint64_t{1});
  t2.unlock(&cells[6]);
  t3.lock(&cells[6]);
  t3.free(cells, 24);
  EXPECT_TRUE(nothing());
}

TEST_F(ObjectTest, BadFrees) {
  allocate();
  t1.free(&cells[1], 8);
  EXPECT_TRUE(saw({Fault::kBadFree})) << "not its beginning";
  t1.free(cells, 24);
  t1.free(cells, 24);
  ASSERT_EQ(script.seen.size(), 1u);
  EXPECT_TRUE(script.seen[0].before);
  EXPECT_TRUE(saw({Fault::kBadFree})) << "twice";
}

TEST_F(ObjectTest, OlderThanTheExecution) {
  t1.load(y, rlx);
  t2.free(cells, 24);
  EXPECT_TRUE(saw({Fault::kRace}));
  t2.read(z);
  EXPECT_TRUE(saw({Fault::kFreed}));
  t2.free(cells, 24);
  EXPECT_TRUE(saw({Fault::kBadFree}));
}

TEST_F(ObjectTest, Uninitialised) {
  allocate(false);
  t1.read(x);
  EXPECT_TRUE(saw({Fault::kUninitialised}));
  t1.load(y, rlx);
  EXPECT_TRUE(saw({Fault::kUninitialised}));
  t1.add(z, uint64_t{1}, rlx);
  EXPECT_TRUE(saw({Fault::kUninitialised}));
  t1.write(reinterpret_cast<uint8_t&>(x), uint8_t{1});
  t1.read(x);
  EXPECT_TRUE(nothing()) << "padding";
  t1.read(reinterpret_cast<uint8_t*>(&x)[1]);
  EXPECT_TRUE(saw({Fault::kUninitialised}));
  t1.store(y, uint64_t{1}, rlx);
  t1.read(y);
  EXPECT_TRUE(nothing());
  allocate(true);
  t1.read(x);
  EXPECT_TRUE(nothing());
}

TEST_F(ObjectTest, AllocationForgetsWhatWasThere) {
  t2.write(x, uint64_t{1});
  t2.store(y, uint64_t{1}, rlx);
  allocate();
  t1.write(x, uint64_t{1});
  t1.read(y);
  t1.load(reinterpret_cast<uint32_t&>(y), rlx);
  EXPECT_TRUE(nothing());
}

TEST_F(ObjectTest, ManyObjectsAndMuchMemory) {
  static uint64_t much[20'000];
  for (size_t i = 0; i < 20'000; i += 4) memory.allocated(1, &much[i], 16, true);
  for (auto& each : much) t1.write(each, uint64_t{1});
  t2.read(much[3]);
  EXPECT_TRUE(saw({Fault::kRace})) << "with one of the first";
  for (size_t i = 0; i < 20'000; i += 8) t1.free(&much[i], 16);
  EXPECT_TRUE(nothing());
  for (size_t i = 0; i < 20'000; ++i) {
    t1.read(much[i]);
    ASSERT_EQ(script.seen.size(), i % 8 < 2 ? 1u : 0u) << i;
    script.seen.clear();
  }
  begin(Model::kCpp);
  for (auto& each : much) t2.write(each, uint64_t{1});
  EXPECT_TRUE(nothing());
}

}  // namespace
}  // namespace engine
