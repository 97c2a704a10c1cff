// A scheme of <srcutorture/ops.h> in the controlled engine: readers against each way to wait that its table offers. Compiled, as the
// scheme itself, with the calls that the engine takes; see srcutorture_engine_plugin().
#pragma once

#include <srcutorture/engine/env.hpp>
#include <srcutorture/engine/test.hpp>
#include <srcutorture/ops.h>

#include <algorithm>
#include <atomic>
#include <initializer_list>
#include <string>

namespace torture::controlled {

/// What readers look at. A plain value: the engine sees a look that is not ordered after its publication, or before the end of
/// its life.
struct Element {
  srcutorture_head head;  // first: as the contract has it, and callbacks cast
  int value;
};
inline constexpr int kElements = 3;

/// What the threads of a test do with the scheme `kOps`. Of two schemes in one program each has its own.
template <const struct srcutorture_ops& kOps>
struct Scheme {
  static inline void* domain;
  static inline Element elements[kElements];
  static inline void* current;
  static inline std::atomic<int> invoked;

  /// Set ahead of all threads, so that looking at it need be no step.
  __attribute__((no_sanitize("thread"), noinline)) static void* dom() { return domain; }

  /// \name Ahead of the threads, and when they have ended
  /// @{
  static void begin() {
    domain = kOps.create();
    engine::check(domain || !kOps.destroy, "create() made no domain");
    publish(0);
  }
  static void end() {
    if (kOps.destroy) kOps.destroy(dom());
  }
  static void end_with_callbacks() {
    end();
    // relaxed: destroy() has returned after all of them, or is wrong
    engine::check(invoked.load(std::memory_order_relaxed) == kElements - 1, "destroy() returned before a callback had run");
  }
  /// @}

  static void publish(int i) {
    elements[i].value = 100 + i;
    __atomic_store_n(&current, &elements[i], __ATOMIC_RELEASE);
  }
  /// Element `next` in the place of the one before, whose life may end after a grace period from now.
  static Element& replace(int next) {
    publish(next);
    return elements[next - 1];
  }
  static void end_life(Element& element) { engine::retire(&element, sizeof element); }

  /// \name Readers
  /// @{
  struct Registered {
    void* const ctx = kOps.thread_register ? kOps.thread_register(dom()) : nullptr;
    ~Registered() {
      if (kOps.thread_unregister) kOps.thread_unregister(dom(), ctx);
    }
    void between_sections() const {
      if (kOps.quiescent_state) kOps.quiescent_state(dom(), ctx);
    }
  };

  static const Element& seen(void* ctx) {
    void* const found = kOps.protect ? kOps.protect(dom(), ctx, &current) : __atomic_load_n(&current, __ATOMIC_CONSUME);
    return *static_cast<const Element*>(found);
  }
  static void expect_alive(const Element& element) {
    engine::check(element.value == 100 + static_cast<int>(&element - elements), "an element is not as it was published");
  }
  static void section(void* ctx) {
    const uint64_t token = kOps.read_lock(dom(), ctx);
    expect_alive(seen(ctx));
    kOps.read_unlock(dom(), ctx, token);
  }

  static void read() {
    const Registered me;
    section(me.ctx);
  }
  static void read_twice() {
    const Registered me;
    section(me.ctx);
    me.between_sections();
    section(me.ctx);
  }
  static void come_and_go() {
    read();
    read();
  }
  static void read_nested() {
    const Registered me;
    const uint64_t token = kOps.read_lock(dom(), me.ctx);
    const Element& outer = seen(me.ctx);
    section(me.ctx);
    expect_alive(outer);
    kOps.read_unlock(dom(), me.ctx, token);
  }
  /// @}

  /// \name Updaters. Not registered: they need not be
  /// @{
  template <auto kWait>
  static void wait_by() {
    for (int next = 1; next < kElements; ++next) {
      Element& old = replace(next);
      (kOps.*kWait)(dom(), nullptr);
      end_life(old);
    }
  }
  static void only_wait() { kOps.synchronize(dom(), nullptr); }

  static void on_grace_period(srcutorture_head* head) {
    end_life(*reinterpret_cast<Element*>(head));
    invoked.fetch_add(1, std::memory_order_release);  // release: for who counts them without a barrier
  }
  static void post() {
    for (int next = 1; next < kElements; ++next) kOps.call(dom(), nullptr, &replace(next).head, on_grace_period);
  }
  static void call_and_barrier() {
    post();
    kOps.barrier(dom(), nullptr);
    // relaxed: a barrier that does not order it shows the count of before
    engine::check(invoked.load(std::memory_order_relaxed) == kElements - 1,
                  "barrier() returned before a callback had run, or one ran twice");
  }
  /// So that another thread may be in the middle of what call_and_barrier() waits for.
  static void only_barrier() { kOps.barrier(dom(), nullptr); }
  static void call_and_count() {
    post();
    while (invoked.load(std::memory_order_acquire) < kElements - 1) {
      if (kOps.advance) kOps.advance(dom(), nullptr);
      engine::env::sleep_ns(100'000);
    }
    engine::check(invoked.load(std::memory_order_relaxed) == kElements - 1, "a callback ran twice");
  }
  static void start_and_poll() {
    Element& old = replace(1);
    const uint64_t cookie = kOps.start_poll(dom(), nullptr);
    while (!kOps.poll_state(dom(), cookie)) engine::env::sleep_ns(100'000);
    end_life(old);
  }
  /// Of a cookie that starts nothing: another thread's grace period, or one's own, ends it.
  static void poll() {
    Element& old = replace(1);
    const uint64_t cookie = kOps.get_state(dom());
    while (!kOps.poll_state(dom(), cookie)) kOps.synchronize(dom(), nullptr);
    end_life(old);
  }
  static void wait_for_nobody() { end_life(replace(1)); }
  /// @}
};

using Body = void (*)();

template <const struct srcutorture_ops& kOps>
void add(const std::string& name, const char* sentence, std::initializer_list<Body> threads, Body end = Scheme<kOps>::end) {
  engine::Test& test = engine::all_tests().emplace_back();
  auto* const kept = new std::string(name);  // for as long as the program runs
  std::replace(kept->begin(), kept->end(), ':', '.');  // a scheme may have one in its name, a token's parts may not
  test.name = kept->c_str();
  test.sentence = sentence;
  test.init(Scheme<kOps>::begin).fini(end);
  for (const Body body : threads) test.thread(body);
}

/// Into the table of tests, all that the scheme's own table allows: <scheme>_synchronize and so on.
template <const struct srcutorture_ops& kOps>
void add_tests(const std::string& scheme) {
  using S = Scheme<kOps>;
  if (kOps.synchronize) {
    constexpr Body update = S::template wait_by<&srcutorture_ops::synchronize>;
    add<kOps>(scheme + "_synchronize", "synchronize() returns after all sections that were open.", {S::read_twice, S::read_twice, update});
    add<kOps>(scheme + "_come_and_go", "So it does when readers come and go.", {S::come_and_go, S::come_and_go, update});
    add<kOps>(scheme + "_two_updaters", "So it does when two threads wait.", {S::read_twice, update, S::only_wait});
    if (kOps.facts & SRCUTORTURE_NESTS)
      add<kOps>(scheme + "_nested", "A section within a section ends neither.", {S::read_nested, update});
  }
  if (kOps.expedited)
    add<kOps>(scheme + "_expedited", "So does expedited().",
              {S::read_twice, S::read_twice, S::template wait_by<&srcutorture_ops::expedited>});
  if (kOps.call && kOps.barrier)
    add<kOps>(scheme + "_barrier", "Callbacks run after all sections that were open, once, and before barrier() returns.",
              {S::read_twice, S::call_and_barrier, S::only_barrier});
  if (kOps.call)
    add<kOps>(scheme + "_call", "Callbacks run after all sections that were open, once.", {S::read_twice, S::read, S::call_and_count});
  if (kOps.call && kOps.destroy)
    add<kOps>(scheme + "_destroy", "Callbacks that still wait run before destroy() returns.", {S::read, S::post}, S::end_with_callbacks);
  if (kOps.poll_state && kOps.start_poll)
    add<kOps>(scheme + "_start_poll", "A cookie is done after all sections that were open.", {S::read_twice, S::read, S::start_and_poll});
  if (kOps.poll_state && kOps.get_state && kOps.synchronize)
    add<kOps>(scheme + "_poll", "A cookie is done after all sections that were open, whoever waits for them.",
              {S::read_twice, S::poll, S::only_wait});
}

/// Tests that must fail, or the others say nothing: with a scheme that is sound, since nobody waits.
template <const struct srcutorture_ops& kOps>
void add_wrong_tests(const std::string& scheme) {
  add<kOps>("wrong_" + scheme + "_no_grace_period", "Must fail: nobody waits for the sections.",
            {Scheme<kOps>::read, Scheme<kOps>::wait_for_nobody});
}

}  // namespace torture::controlled
