// Further libraries in the same binary, where the machine has them: Concurrency Kit's epochs, and libcds' RCU.
#pragma once

#ifdef SRCU_BENCH_CK
extern "C" {
#include <ck_epoch.h>
}
#endif
#ifdef SRCU_BENCH_CDS
#include <cds/init.h>
#include <cds/urcu/general_instant.h>

#include <optional>
#endif

namespace srcu_bench {

#ifdef SRCU_BENCH_CK

struct CkEpoch {
  using Head = ck_epoch_entry_t;
  static void attach() {
    own = ck_epoch_recycle(&epoch, nullptr);
    if (!own) ck_epoch_register(&epoch, own = new ck_epoch_record_t, nullptr);  // the epoch's for ever
  }
  static void detach() { ck_epoch_unregister(own); }
  static int lock() { return ck_epoch_begin(own, nullptr), 0; }
  static void unlock(int) { ck_epoch_end(own, nullptr); }
  static void between_sections() {}
  static void synchronize() { ck_epoch_synchronize(own); }
  static void call(Head* head, ck_epoch_cb_t* func) { ck_epoch_call(own, head, func); }
  static void barrier() { ck_epoch_barrier(own); }

 private:
  static inline ck_epoch_t epoch = [] {
    ck_epoch_t fresh;
    ck_epoch_init(&fresh);
    return fresh;
  }();
  static inline __thread ck_epoch_record_t* own;
};

#endif

#ifdef SRCU_BENCH_CDS

/// It has no callbacks to wait for: who retires something waits for readers himself.
struct CdsInstant {
  using Rcu = cds::urcu::gc<cds::urcu::general_instant<>>;

  static void attach() {
    static const Library library;
    cds::threading::Manager::attachThread();
  }
  static void detach() { cds::threading::Manager::detachThread(); }
  static int lock() { return Rcu::access_lock(), 0; }
  static void unlock(int) { Rcu::access_unlock(); }
  static void between_sections() {}
  static void synchronize() { Rcu::synchronize(); }

 private:
  struct Library {
    Library() {
      cds::Initialize();
      rcu.emplace();
    }
    ~Library() {
      rcu.reset();
      cds::Terminate();
    }
    std::optional<Rcu> rcu;
  };
};

#endif

}  // namespace srcu_bench
