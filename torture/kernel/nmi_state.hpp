// The states in which an NMI may find a domain: each is made anew for one try, and held while it lasts.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "srcu/core/usage.hpp"
#include "srcu/srcu.h"

namespace torture {

enum class NmiState { kFirstUse, kIdle, kScan1, kScan2, kRequested, kSdpContended, kSupContended };

/// In order, with the names that cases carry.
const std::vector<std::pair<NmiState, const char*>>& nmi_states();

/// A kind of readers: how a domain for them is made, and a section opened and closed.
struct NmiReaders {
  const char* name;
  uint32_t kind;               ///< SRCU_KIND_...
  void (*read)(srcu_struct*);  ///< Opens and closes one section.
  bool alone = false;          ///< Posts beside them are the same as beside others: their own path is enough.
};
const std::vector<NmiReaders>& nmi_readers();

/// A fresh domain in one state. The state is left when this goes, or earlier by leave().
class PreparedDomain {
 public:
  /// Waits until the state is there.
  PreparedDomain(NmiState state, const NmiReaders& readers, const std::string& strategy);
  /// Cleans the domain up; everything posted has run before. Aborts where cleanup is refused.
  ~PreparedDomain();
  PreparedDomain(const PreparedDomain&) = delete;
  PreparedDomain& operator=(const PreparedDomain&) = delete;

  srcu_struct* domain() { return &ssp_; }

  /// Lets a lock go that the state holds. Any context, also an NMI.
  void let_go() { let_go_.store(true, std::memory_order_release); }  // pairs with the acquire in hold()
  /// Leaves the state altogether: grace periods end again.
  void leave();

 private:
  void hold(srcu::Spinlock& lock);
  void wait_for(srcu::GpState state);

  srcu_struct ssp_;
  srcu_ctr* rank_ = nullptr;  ///< A reader is inside here.
  std::atomic<bool> holds_{false}, let_go_{false};
  std::thread holder_;
};

}  // namespace torture
