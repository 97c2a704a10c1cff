// The logs are what gcc's and clang's runtimes wrote, shortened.
#include "torture/oracle/sanitizer.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "torture/oracle/judge.hpp"

namespace torture {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFreedRead = R"(=================================================================
==20850==ERROR: AddressSanitizer: heap-use-after-free on address 0x60300001a980 at pc 0x7fbb903809ec bp 0x7fbb8e1fc130 sp 0x7fbb8e1fc128
READ of size 8 at 0x60300001a980 thread T3
    #0 0x7fbb903809eb in wait_for_readers ../../torture/flavors/unsound_for_test.c:66
    #1 0x5652f3f7c4f0 in wait<torture::Updater::pass(const torture::Phase&, torture::Membership&)::<lambda()> > ../../torture/threads/grace.hpp:79
    #2 0x5652f3f7858f in torture::Updater::pass(torture::Phase const&, torture::Membership&) ../../torture/threads/updater.cpp:44
    #3 0x5652f3f77cd2 in torture::Updater::run() ../../torture/threads/updater.cpp:20
    #4 0x7fbb918d44a2  (/lib/x86_64-linux-gnu/libstdc++.so.6+0xd44a2)

0x60300001a980 is located 0 bytes inside of 24-byte region [0x60300001a980,0x60300001a998)
freed by thread T9 here:
    #0 0x7fbb91cb76a8 in __interceptor_free ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:52
    #1 0x7fbb90380305 in dismiss ../../torture/flavors/unsound_for_test.c:40

SUMMARY: AddressSanitizer: heap-use-after-free ../../torture/flavors/unsound_for_test.c:66 in wait_for_readers
==20850==ABORTING
)";

constexpr const char* kFreedTwice = R"(=================================================================
==26006==ERROR: AddressSanitizer: attempting double-free on 0x602000000010 in thread T0:
    #0 0x5609a67218dd in operator delete[](void*) (/tmp/a+0xdf8dd) (BuildId: 8ae46a3eec29e595eb41e2f0f074373cc192fbc8)
    #1 0x5609a67235d6 in scheme::drop(char*) /tmp/t.cpp:6:46
    #2 0x7ffb18845249 in __libc_start_call_main csu/../sysdeps/nptl/libc_start_call_main.h:58:16
)";

constexpr const char* kRaces = R"(==================
WARNING: ThreadSanitizer: data race (pid=25972)
  Read of size 8 at 0x7b2000000590 by thread T1:
    #0 free ../../../../src/libsanitizer/tsan/tsan_interceptors_posix.cpp:706 (libtsan.so.2+0x47e82)
    #1 <null> <null> (libscheme.so.8+0x4085)

  Previous write of size 4 at 0x564c327c70ac by thread T1:
    #0 scheme::count() /tmp/t.cpp:5 (t+0x128d)
    #1 void std::__invoke_impl<void, void (*)()>(std::__invoke_other, void (*&&)()) /usr/include/c++/12/bits/invoke.h:61 (t+0x1fa6)
    #2 void scheme::serve<int>(int) /tmp/t.cpp:9 (t+0x1f0b)
    #3 <null> <null> (libstdc++.so.6+0xd44a2)

SUMMARY: ThreadSanitizer: data race /tmp/t.cpp:5 in scheme::count()
==================
==================
WARNING: ThreadSanitizer: data race (pid=25972)
  Write of size 4 at 0x564c327c70ac by thread T2:
    #0 another() /tmp/t.cpp:50 (t+0x128d)

==================
WARNING: ThreadSanitizer: thread leak (pid=25972)
  Thread T4 'reader/0' (tid=13978, finished) created by main thread at:
    #0 scheme::start() /tmp/t.cpp:60 (t+0x128d)

ThreadSanitizer: reported 3 warnings
)";

constexpr const char* kUndefined =
    R"(t.cpp:7:54: runtime error: shift exponent 42 is too large for 32-bit type 'int'
t.cpp:9:1: runtime error: load of misaligned address 0x7fff7a7ba6f1 for type 'int', which requires 4 byte alignment
)";

class Sanitizer : public testing::Test {
 protected:
  Sanitizer() {
    std::string pattern = testing::TempDir() + "sanitizerXXXXXX";
    dir_ = mkdtemp(pattern.data());
  }
  ~Sanitizer() override { fs::remove_all(dir_); }
  void write(const std::string& file, const std::string& text) {
    std::ofstream(dir_ / file, std::ios::app) << text;
  }
  std::vector<Failure> found() { return sanitizer_failures(dir_, 2.5); }
  fs::path dir_;
};

TEST_F(Sanitizer, FreedMemoryReadIsUseAfterFreeInTheFunctionThatRead) {
  write("sanitizer.20850", kFreedRead);
  ASSERT_EQ(found().size(), 1U);
  EXPECT_EQ(found()[0].check, "use_after_free");
  EXPECT_EQ(found()[0].message, "AddressSanitizer: heap-use-after-free");
  EXPECT_EQ(found()[0].evidence, "sanitizer.20850");
  EXPECT_EQ(found()[0].first_s, 2.5);
  EXPECT_EQ(found()[0].signature, "use_after_free:wait_for_readers<wait<torture::Updater::pass");
}

TEST_F(Sanitizer, MemoryFreedTwiceIsUseAfterFreeToo) {
  write("sanitizer.1", kFreedTwice);
  ASSERT_EQ(found().size(), 1U);
  EXPECT_EQ(found()[0].message, "AddressSanitizer: attempting double-free");
  EXPECT_EQ(found()[0].signature, "use_after_free:scheme::drop");
}

TEST_F(Sanitizer, RaceIsMemoryOrderInTheFirstStackThatTells) {
  write("sanitizer.25972", kRaces);
  ASSERT_EQ(found().size(), 1U);
  EXPECT_EQ(found()[0].check, "memory_order");
  EXPECT_EQ(found()[0].count, 2U);
  EXPECT_EQ(found()[0].message, "ThreadSanitizer: data race");
  EXPECT_EQ(found()[0].signature, "memory_order:scheme::count<scheme::serve");
}

TEST_F(Sanitizer, WhatElseThereIsIsCrash) {
  write("sanitizer.7", kUndefined);
  ASSERT_EQ(found().size(), 1U);
  EXPECT_EQ(found()[0].check, "crash");
  EXPECT_EQ(found()[0].count, 2U);
  EXPECT_EQ(found()[0].message,
            "t.cpp:7:54: runtime error: shift exponent 42 is too large for 32-bit type 'int'");
  EXPECT_EQ(found()[0].signature, "crash");
}

TEST_F(Sanitizer, EachProcessHasItsFileAndOthersAreNotRead) {
  write("sanitizer.1", kFreedTwice);
  write("sanitizer.1", kUndefined);
  write("sanitizer.2", kFreedRead);
  write("console.log", kRaces);
  ASSERT_EQ(found().size(), 3U);
  EXPECT_EQ(found()[1].check, "crash");
  EXPECT_EQ(found()[2].evidence, "sanitizer.2");
}

TEST_F(Sanitizer, NothingIsFoundWhereNothingIs) {
  EXPECT_TRUE(found().empty());
  EXPECT_TRUE(sanitizer_failures(dir_ / "none", 0).empty());
  write("sanitizer.1", "==20850==ERROR: Addre");
  EXPECT_TRUE(found().empty()) << "a line that was cut short";
}

TEST_F(Sanitizer, JudgeTakesItForTheEndOfTheChildOrBesideASoundOne) {
  write("events.jsonl", R"({"t_s":1,"event":"start","scenario":"S"})"
                        "\n");
  write("events.jsonl", R"({"t_s":4,"event":"child_ended","exit_code":1,"words":"exited with 1"})"
                        "\n");
  EXPECT_EQ(judge_scenario(dir_).verdict, Verdict::kBroken);
  write("sanitizer.25972", kRaces);
  EXPECT_EQ(judge_scenario(dir_).verdict, Verdict::kFailure);
  write("sanitizer.20850", kFreedRead);
  const Judgement j = judge_scenario(dir_);
  EXPECT_EQ(j.verdict, Verdict::kCrash);
  EXPECT_EQ(j.signature, "use_after_free:wait_for_readers<wait<torture::Updater::pass");
  ASSERT_EQ(j.failures.size(), 2U);
  EXPECT_EQ(j.failures[0].first_s, 4);
  EXPECT_EQ(j.failures[1].check, "memory_order");
}

}  // namespace
}  // namespace torture
