// Who holds up a grace period: every reader is asked where it is, a few times.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "torture/threads/cast.hpp"

namespace torture {

/// Asks by signal, once something is suspected; readers store nothing for it. The conductor's thread only. It
/// must outlive the readers' threads, some of which may answer late.
class Inquiry {
 public:
  explicit Inquiry(const Cast& cast);
  ~Inquiry();

  /// So many looks; more while a reader has not answered twice, which it may not for want of a CPU, until
  /// `most_ns` are over.
  struct Looks {
    unsigned count;
    uint64_t gap_ns, most_ns;
  };
  /// Looks at all readers, and stops early once `over` says that what was suspected has ended after all.
  /// Returns who holds things up, in words: readers that were inside the same section at every look, and
  /// those that do not answer; if there are none, the scheme, unless `waiting`, the thread that waits (0: not
  /// known), is given no CPU to see the end.
  std::string ask(const Looks& looks, pid_t waiting, const std::function<bool()>& over);

 private:
  struct Witness;
  unsigned look_on(const Looks& looks, const std::function<bool()>& over);
  void look(uint64_t end_ns);

  std::vector<std::unique_ptr<Witness>> witnesses_;
};

}  // namespace torture
