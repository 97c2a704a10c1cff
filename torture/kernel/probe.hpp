// What every try of a cell is made of: a domain on the model, in the state that a try begins with, and the post that it is
// all about.
#pragma once

#include <atomic>
#include <string>

#include "srcu/core/usage.hpp"
#include "srcu/srcu.h"

namespace torture::kernel {

/// A domain on the model.
class Domain {
 public:
  explicit Domain(const std::string& strategy);
  srcu_struct& ssp() { return ssp_; }
  srcu::Usage& usage() { return srcu::usage_of(&ssp_); }

 private:
  srcu_struct ssp_;
};

/// The domain is idle, and so is this CPU. `expedited`: as left behind by whoever asks for an expedited grace period just now.
void prepare(Domain& domain, bool expedited);

struct Post {
  rcu_head head;  // first: the callback casts
  Domain* domain;
  uint64_t posted_ns = 0;
  std::atomic<uint64_t> invoked_ns{0};
  bool deferred = false, needed = false;

  /// Posts; the argument is this one. Signal-safe.
  static void run(void* argument);
  /// Returns when the callback has run, with the time since the post.
  uint64_t wait();
};

}  // namespace torture::kernel
