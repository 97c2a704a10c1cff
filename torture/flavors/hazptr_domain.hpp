// Hazard pointers: a reader names what it looks at, and what is named is not given up. Small, and behind an ops table
// only; the words are those of Michael's paper and of folly: record, protect, retire, scan.
//
// Readers have no fence and no shared store. A domain's reclaimer, a thread, takes what was retired, has every running
// thread pass a full fence by membarrier(), and calls the functions of what no record names. Either it sees the name, or
// the reader, which looks at its source again after naming, sees that the object is no longer there.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

namespace torture::hazptr {

struct Head;
using Callback = void (*)(Head*);

/// What an object that is retired begins with. The domain's from call_hazptr() until the callback.
struct Head {
  Head* next;
  Callback func;
  uint64_t number;  ///< Of its call_hazptr(), from 1.
};

/// Sections that a thread and the handlers on it have open at a time, and what one section protects.
inline constexpr unsigned kSections = 8, kHazards = 16;

/// One open section's names.
struct alignas(64) Section {
  std::array<std::atomic<void*>, kHazards> hazards{};
  unsigned used = 0;
};

/// One thread's sections. Its own thread's, and that of handlers on it: these close what they open before they return.
class Record {
 public:
  /// Opens a section, and closes it. Sections overlap as they like, up to kSections.
  Section* open();
  void close(Section* section);

  /// What *slot holds, to stay until the section closes that was opened last of those that are open.
  void* protect(void** slot);
  /// Names `object` in that section without asking whether it is still there. Protects only what cannot be retired yet.
  void announce(void* object);

 private:
  friend class Domain;
  Section& newest();

  std::array<std::atomic<uint64_t>, kSections> order_{};  // of their opening; 0: not open
  uint64_t opened_ = 0;
  std::array<Section, kSections> sections_;
  Record* next_ = nullptr;  // does not change once the record is in the list
  std::atomic<bool> claimed_{true};
};

class Domain {
 public:
  /// Needs membarrier(): ask srcu::membarrier_works() before.
  Domain();
  /// Calls what still waits. There are no sections any more.
  ~Domain();
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;

  /// A record for the calling thread: an old one, or a new one; takes no lock, may allocate.
  Record* claim();
  static void release(Record* record);

  /// Calls func(head), in another thread, once nobody protects the object that begins with head. It is out of readers'
  /// reach already. Takes a lock, so not from signal handlers: they have bpf_defer().
  void call_hazptr(Head* head, Callback func);
  /// Returns when the callbacks have returned of all that was retired before.
  void barrier();

  uint64_t waiting() const;    ///< Retired, and not yet given up.
  long open_sections() const;  ///< Of all records.
  void describe(FILE* file) const;

 private:
  void reclaim();
  bool await_work(bool kept);
  std::vector<void*> scan() const;

  std::atomic<Record*> records_{nullptr};
  std::atomic<uint64_t> waiting_{0}, passes_{0};
  std::mutex mutex_;
  std::condition_variable work_, progress_;
  // Under the mutex:
  Head* retired_ = nullptr;
  uint64_t last_ = 0;          // number given
  uint64_t done_below_ = 1;    // every lower number's callback has returned
  bool ending_ = false;
  std::thread reclaimer_;  // last: it uses the others
};

}  // namespace torture::hazptr
