#include "torture/threads/updater.hpp"

#include "harness/base/clock.hpp"

namespace torture {

Updater::Updater(World& world, Station& station, const GraceKinds& kinds, Interrupt* interrupt, unsigned index)
    : world_(world),
      station_(station),
      interrupt_(interrupt),
      index_(index),
      kinds_(kinds),
      random_(world.seed, "updater", index),
      grace_(world.ops, world.domain) {}

void Updater::run() {
  Membership member(world_);
  grace_.attach();
  ctx_ = member.ctx();
  const Interrupt::Here interrupted(interrupt_, ctx_);
  while (!world_.stopped()) {
    member.pause_point([this] { return index_ >= world_.now().updaters; });
    pass(world_.now(), member);
  }
}

// Everything that fences (taking back what callbacks returned, reading the clock) comes before the
// unpublication; after it come only plain stores and the scheme's own call.
void Updater::pass(const Phase& phase, Membership& member) {
  collect_returned();
  pace(phase);
  const GraceKind kind = choose();
  const bool two = random_.one_in(8);
  if (kind != GraceKind::kCall) {
    station_.begin_wait();
    grace_.arm();
  }
  Element* victims = station_.replace();
  if (!victims) return starve(kind, member);
  short_of_ns_ = 0;
  starving_.store(false, std::memory_order_relaxed);
  victims->link = nullptr;
  if (Element* second = two ? station_.replace() : nullptr) {
    second->link = victims;
    victims = second;
  }
  if (kind == GraceKind::kCall) {
    post(victims);
  } else {
    const bool whole = grace_.wait(kind, ctx_, [this] { return world_.stopped(); });
    station_.end_wait();
    append(victims);
    if (whole) age_waiting();
  }
  bump(versions_);
}

// Any kind; but callbacks may be slow to come back (liburcu batches them for 10 ms), and an updater whose
// elements are all with callbacks tortures nothing. So no more than half of them are posted where there is
// another way.
GraceKind Updater::choose() {
  const GraceKind kind = kinds_[random_.below(kinds_.size())];
  if (kind != GraceKind::kCall || kinds_.size() == 1 || station_.in_flight() < kSpareElements / 2)
    return kind;
  return kinds_[1 + random_.below(kinds_.size() - 1)];  // kCall stands first, see grace_kinds()
}

// All elements wait. Grace periods free them: those of our own if we can have some, else those of the
// callbacks.
void Updater::starve(GraceKind kind, Membership& member) {
  starving_.store(true, std::memory_order_relaxed);
  bump(starved_);
  if (kind == GraceKind::kCall) {
    post(waiting_);
    waiting_ = nullptr;
    short_of_ns_ = short_of_ns_ == 0 ? 10'000 : short_of_ns_ < 1'000'000 ? short_of_ns_ * 2 : short_of_ns_;
    if (world_.ops.advance) world_.ops.advance(world_.domain, ctx_);
    member.nap(short_of_ns_);
  } else {
    const bool whole = grace_.wait(kind, ctx_, [this] { return world_.stopped(); });
    station_.end_wait();
    if (whole) age_waiting();
  }
}

void Updater::post(Element* list) {
  while (list) {
    Element* next = list->link;
    station_.note_post(list);
    world_.ops.call(world_.domain, ctx_, &list->head, Station::on_callback);
    list = next;
  }
}

void Updater::collect_returned() {
  Element* list = station_.take_returned();
  while (list) {
    Element* next = list->link;
    callback_delay_.record(list->delay_ns);
    look_back(list);
    list->link = nullptr;
    if (station_.age(list)) append(list);
    list = next;
  }
}

void Updater::append(Element* list) {
  while (list) {
    Element* next = list->link;
    list->link = waiting_;
    waiting_ = list;
    list = next;
  }
}

// A whole grace period has passed over everything that waits.
void Updater::age_waiting() {
  Element* list = waiting_;
  waiting_ = nullptr;
  while (list) {
    Element* next = list->link;
    look_back(list);
    if (station_.age(list)) {
      list->link = waiting_;
      waiting_ = list;
    }
    list = next;
  }
}

// The second look, from the updater's side: every reader that held the element has let go of it. And the
// sighting that a reader left in it goes to some other reader.
void Updater::look_back(Element* e) {
  // relaxed, all: the grace period must have ordered the readers' stores before us; that is what is checked
  if (e->pipe.load(std::memory_order_relaxed) != 1) return;
  for (unsigned id = 0; id < world_.visitors.size(); ++id) {
    if (e->held[id].load(std::memory_order_relaxed)) {
      faults_.note(Check::kTooShortGp,
                   "visitor {} has its private flag in an element of generation {} after the grace period",
                   id, e->generation.load(std::memory_order_relaxed));
      e->held[id].store(0, std::memory_order_relaxed);
    }
  }
  if (const uint64_t word = e->sighting.load(std::memory_order_relaxed); word != 0) {
    world_.visitors[random_.below(world_.visitors.size())]->deliver(word);
  }
}

// rcutorture's writer delays up to a millisecond between its passes; without delays it runs at full speed.
void Updater::pace(const Phase& phase) {
  if (!phase.delays) return;
  const uint64_t end = harness::now_ns() + random_.below(1024) * 1000;
  while (harness::now_ns() < end && !world_.stopped()) {
  }
}

}  // namespace torture
