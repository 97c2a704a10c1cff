// For tests: a thread that does nothing until it is let go.
#pragma once

#include <atomic>
#include <optional>

#include "harness/base/clock.hpp"
#include "harness/threads/named_thread.hpp"

namespace harness {

/// Ends with its scope.
struct Sitter {
  explicit Sitter(std::optional<unsigned> pu)
      : thread("sitter/0", pu, [this] {
          while (!done) sleep_ns(1'000'000);
        }) {}
  ~Sitter() { done = true; }
  std::atomic<bool> done{false};
  NamedThread thread;
};

}  // namespace harness
