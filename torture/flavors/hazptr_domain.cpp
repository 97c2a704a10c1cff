#include "torture/flavors/hazptr_domain.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "srcu/platform/env.hpp"

namespace torture::hazptr {
namespace {

// While something is protected nobody says when it ceases to be.
constexpr std::chrono::milliseconds kRescan{1};

[[noreturn]] void too_many(const char* what, unsigned most) {
  fprintf(stderr, "hazptr: more than %u %s: raise the limit in torture/flavors/hazptr_domain.hpp\n", most, what);
  abort();
}

// The compiler keeps what is before it before what is after: towards handlers on this thread, and for membarrier(), which
// makes it a full fence when the reclaimer asks for one.
void light_fence() { std::atomic_signal_fence(std::memory_order_seq_cst); }

}  // namespace

// relaxed, throughout the order of sections: only this thread and its handlers go by it. A handler that comes between the
// look and the store has closed what it opened by the time we go on, so the place is still free.
Section* Record::open() {
  unsigned place = 0;
  while (place < kSections && order_[place].load(std::memory_order_relaxed) != 0) ++place;
  if (place == kSections) too_many("sections open on one thread", kSections);
  order_[place].store(++opened_, std::memory_order_relaxed);
  light_fence();  // a handler that takes the same place does so before we use it
  return &sections_[place];
}

void Record::close(Section* section) {
  for (unsigned i = 0; i < section->used; ++i) {
    // release [unprotect]: pairs with the acquire in scan(): what was done in the section comes before the callback.
    section->hazards[i].store(nullptr, std::memory_order_release);
  }
  section->used = 0;
  light_fence();  // as in open()
  order_[static_cast<size_t>(section - sections_.data())].store(0, std::memory_order_relaxed);
}

Section& Record::newest() {
  unsigned newest = 0;
  for (unsigned place = 1; place < kSections; ++place) {
    if (order_[place].load(std::memory_order_relaxed) > order_[newest].load(std::memory_order_relaxed)) newest = place;
  }
  return sections_[newest];
}

void* Record::protect(void** slot) {
  const std::atomic_ref<void*> source(*slot);
  Section& section = newest();
  if (section.used == kHazards) too_many("objects protected in one section", kHazards);
  auto& hazard = section.hazards[section.used];
  void* seen = source.load(std::memory_order_relaxed);  // relaxed: a guess; the look below is what counts
  for (;;) {
    hazard.store(seen, std::memory_order_release);  // release: [unprotect], of what a former turn named
    light_fence();                                  // the name before the look: full by membarrier()
    // acquire: pairs with the release that published the object.
    void* const again = source.load(std::memory_order_acquire);
    if (again == seen) break;
    seen = again;
  }
  if (seen) ++section.used;
  return seen;
}

void Record::announce(void* object) {
  Section& section = newest();
  if (section.used == kHazards) too_many("objects protected in one section", kHazards);
  section.hazards[section.used++].store(object, std::memory_order_release);  // release: as in protect()
}

// The reclaimer takes no signals: a handler would run on a thread that has no record.
Domain::Domain() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  reclaimer_ = std::thread([this] { reclaim(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Domain::~Domain() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  work_.notify_one();
  reclaimer_.join();
  // relaxed: there is nobody else any more
  for (Record* record = records_.load(std::memory_order_relaxed); record;) delete std::exchange(record, record->next_);
}

Record* Domain::claim() {
  // acquire: pairs with [record], for next_.
  for (Record* record = records_.load(std::memory_order_acquire); record; record = record->next_) {
    // acquire: pairs with [released]: the place counts are the former thread's last. relaxed: the first look is a guess.
    if (!record->claimed_.load(std::memory_order_relaxed) && !record->claimed_.exchange(true, std::memory_order_acquire))
      return record;
  }
  auto* fresh = new Record;
  fresh->next_ = records_.load(std::memory_order_relaxed);  // relaxed: the exchange confirms it
  // release [record]: pairs with the acquires in claim(), scan() and open_sections(): the record before the pointer to it.
  while (!records_.compare_exchange_weak(fresh->next_, fresh, std::memory_order_release, std::memory_order_relaxed)) {
  }
  return fresh;
}

void Domain::release(Record* record) {
  record->claimed_.store(false, std::memory_order_release);  // release [released]: pairs with the exchange in claim()
}

void Domain::call_hazptr(Head* head, Callback func) {
  waiting_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
  {
    const std::lock_guard lock(mutex_);
    *head = {retired_, func, ++last_};
    retired_ = head;
  }
  work_.notify_one();
}

void Domain::barrier() {
  std::unique_lock lock(mutex_);
  progress_.wait(lock, [this, mine = last_] { return done_below_ > mine; });
}

// False when there is nothing left to do, ever.
bool Domain::await_work(bool kept) {
  std::unique_lock lock(mutex_);
  const auto news = [this] { return retired_ || ending_; };
  if (kept) {
    work_.wait_for(lock, kRescan, news);
  } else {
    work_.wait(lock, news);
  }
  return kept || retired_ || !ending_;
}

void Domain::reclaim() {
  Head* kept = nullptr;
  while (await_work(kept != nullptr)) {
    uint64_t oldest_kept = 0;
    Head* candidates = std::exchange(kept, nullptr);
    {
      const std::lock_guard lock(mutex_);
      oldest_kept = last_ + 1;
      while (retired_) {
        Head* const one = std::exchange(retired_, retired_->next);
        one->next = std::exchange(candidates, one);
      }
    }
    const std::vector<void*> named = scan();
    while (candidates) {
      Head* const one = std::exchange(candidates, candidates->next);
      if (std::binary_search(named.begin(), named.end(), static_cast<void*>(one))) {
        oldest_kept = std::min(oldest_kept, one->number);
        one->next = std::exchange(kept, one);
      } else {
        waiting_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a count
        one->func(one);
      }
    }
    passes_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
    {
      const std::lock_guard lock(mutex_);
      done_below_ = oldest_kept;
    }
    progress_.notify_all();
  }
}

// All names, sorted. Whoever retired has made its object unreachable before, and the mutex brought that here. So a reader
// whose look, behind its light fence, still found the object has named it before the fence of ours. A record that is not in
// the list yet is that of a reader that looks later.
std::vector<void*> Domain::scan() const {
  srcu::env::membarrier();
  std::vector<void*> named;
  // acquire: pairs with [record].
  for (Record* record = records_.load(std::memory_order_acquire); record; record = record->next_) {
    for (const Section& section : record->sections_) {
      for (const auto& hazard : section.hazards) {
        // acquire: pairs with [unprotect].
        if (void* object = hazard.load(std::memory_order_acquire)) named.push_back(object);
      }
    }
  }
  std::sort(named.begin(), named.end());
  return named;
}

uint64_t Domain::waiting() const { return waiting_.load(std::memory_order_relaxed); }  // relaxed: a count

long Domain::open_sections() const {
  long open = 0;
  // acquire: pairs with [record].
  for (Record* record = records_.load(std::memory_order_acquire); record; record = record->next_) {
    // relaxed: who asks for an exact figure has ordered everybody's last section before
    for (const auto& order : record->order_) open += order.load(std::memory_order_relaxed) != 0;
  }
  return open;
}

void Domain::describe(FILE* file) const {
  fprintf(file, "hazptr: %lu wait, %ld sections open, %lu passes\n", waiting(), open_sections(),
          passes_.load(std::memory_order_relaxed));  // relaxed: a count
}

}  // namespace torture::hazptr
