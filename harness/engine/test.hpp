// How a test of the controlled engine is written:
//
//   static std::atomic<int> x, y;
//   static int seen_by_0, seen_by_1;
//   ENGINE_TEST(store_buffering, "One of two threads that write, fence and read sees the other's write.") {
//     test.thread([] { x.store(1, relaxed); std::atomic_thread_fence(seq_cst); seen_by_0 = y.load(relaxed); });
//     test.thread([] { y.store(1, relaxed); std::atomic_thread_fence(seq_cst); seen_by_1 = x.load(relaxed); });
//     test.fini([] { engine::check(seen_by_0 || seen_by_1, "both read 0"); });
//   }
//
// Before each execution, all global, static and thread_local variables of the program have the values they had when main()
// began. init runs first, then all threads at once, then fini when they have ended; init and fini are one more thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

namespace engine {

struct Test {
  const char* name = "";
  const char* sentence = "";  ///< What holds.
  void (*begin)() = nullptr;
  std::vector<void (*)()> threads;
  void (*end)() = nullptr;

  /// Something is wrong in it, which is to be found: a run of all tests wants it to fail. By its name, which begins with "wrong_".
  bool must_fail() const { return std::string_view(name).substr(0, 6) == "wrong_"; }  // also in C++17

  Test& init(void (*body)()) { return begin = body, *this; }
  Test& thread(void (*body)()) { return threads.push_back(body), *this; }
  Test& fini(void (*body)()) { return end = body, *this; }
};

/// All tests of the program, in the order of their definition in a file.
std::deque<Test>& all_tests();

struct Registration {
  Registration(const char* name, const char* sentence, void (*fill)(Test&)) {
    Test& test = all_tests().emplace_back();
    test.name = name;
    test.sentence = sentence;
    fill(test);
  }
};

/// The execution has failed if `holds` is false.
void check(bool holds, const char* message);

/// Frees `object` of `bytes` as far as the checks are concerned: a write to all of it. Whoever touches it from now on, or was not
/// ordered before, is reported. The memory itself is left alone.
void retire(const void* object, size_t bytes);

/// The calling thread will come here again, or end, within `bound` of its own steps.
void progress(uint32_t bound);

/// The same by what others do, so that it holds for a thread that sleeps, too: it comes here again, or ends, before they have said
/// passed() more than `bound` times. A reader says so after each of its sections, say, and a writer waits for at most so many.
void progress_among(uint32_t bound);
void passed();

/// From now on `handler` may run in the calling thread at any of its steps, once in an execution, as a signal handler does. Null: no more.
void set_handler(void (*handler)());

/// What fork() makes of the calling thread in the child: the test's other threads, and those that they started, never go on; what they held
/// stays held, and what they wrote is there. Waits until all of the test's threads have been started.
void become_child();

/// The name of the test that runs, for bodies that many tests share.
const char* test_name();

/// \name What is told of an execution
/// @{
void tell_from_here();  ///< What came before made things ready.
/// Of a spin lock, by the byte that env::wait_for_lock() is given. Where all is a deadlock, only what was done with such locks is told.
void name_lock(const void* byte, const char* name);
/// @}

}  // namespace engine

#define ENGINE_TEST(name, sentence)                                                                    \
  static void engine_test_##name([[maybe_unused]] ::engine::Test& test);                               \
  static const ::engine::Registration engine_registration_##name(#name, sentence, engine_test_##name); \
  static void engine_test_##name([[maybe_unused]] ::engine::Test& test)
