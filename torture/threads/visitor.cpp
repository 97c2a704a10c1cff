#include "torture/threads/visitor.hpp"

#include <sched.h>

#include <algorithm>

#include "harness/base/clock.hpp"

namespace torture {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kUs = 1'000;

void spin_ns(uint64_t ns) {
  const uint64_t end = harness::now_ns() + ns;
  while (harness::now_ns() < end) {
  }
}

}  // namespace

Visitor::Visitor(const Ops& ops, void* domain, const std::vector<Station*>& stations,
                 const std::vector<Visitor*>& peers, unsigned id, Level level, uint64_t seed)
    : read_lock_(ops.read_lock),
      read_unlock_(ops.read_unlock),
      protect_(ops.protect),
      gp_seq_(ops.gp_seq),
      domain_(domain),
      level_(level),
      ops_(ops),
      stations_(stations),
      peers_(peers),
      random_(seed, "visitor", id),
      until_cookie_(next_cookie()),
      id_(id) {
  for (Station* station : stations) {
    for (unsigned b = 0; b < station->shape().buckets; ++b) sights_.push_back({&station->bucket(b)});
  }
}

uint64_t Visitor::sections() const {
  uint64_t sum = 0;
  for (const auto& count : pipe_) sum += peek(count);
  return sum;
}

// One section in 4096 has a cookie: get_state() fences, and would hide bugs. Only special sections have one,
// but plain ones are counted.
int64_t Visitor::next_cookie() { return 1 + static_cast<int64_t>(random_.below(2 * 4096 - 1)); }
Visitor::Whereabouts Visitor::whereabouts() const { return {entered_, entered_ - sections(), delaying()}; }

Visitor::Stay Visitor::enter(const Phase& phase) {
  Stay stay{};
  Sight& sight = next_sight();
  stay.token = lock();
  if (--until_cookie_ <= 0 && ops_.get_state && ops_.poll_state) {
    until_cookie_ += next_cookie();
    stay.has_cookie = true;
    stay.cookie = ops_.get_state(domain_);
  }
  stay.batch = gp_seq_ ? gp_seq_(domain_) : 0;
  stay.element = load(*sight.head);
  look(sight, stay.element);
  if (phase.private_flags) {
    stay.flagged = true;
    stay.element->held[id_].store(1, std::memory_order_relaxed);  // relaxed: see leave()
  }
  return stay;
}

void Visitor::leave(const Stay& stay) {
  // relaxed: unlock -> end of the grace period -> updater's look is the order under test
  if (stay.flagged) stay.element->held[id_].store(0, std::memory_order_relaxed);
  if (std::ranges::any_of(stations_, &Station::waited_for)) bump(overlapping_);
  tally(stay.element);
  tally_batch(stay.batch);
  if (stay.has_cookie && ops_.poll_state(domain_, stay.cookie)) {
    faults_.note(Check::kEarlyCookie, "a cookie taken inside a section, {}, was done before its end",
                 stay.cookie);
  }
  read_unlock_(domain_, ctx_, stay.token);
}

// A section, or a chain of them: each next one is entered before the last is left, so that the reader is
// never outside. A nested one is left before the one around it.
void Visitor::special(const Phase& phase) {
  read_inbox();
  Stay stay = enter(phase);
  walk(stay.element);
  note_sighting(stay.element);
  const bool nests = (ops_.facts & SRCUTORTURE_NESTS) && phase.nesting;
  for (uint64_t links = nests ? random_.below(8) : 0; links > 0; --links) {
    const Stay next = enter(phase);
    if (random_.one_in(2)) {
      leave(stay);
      stay = next;
    } else {
      leave(next);
    }
  }
  if (phase.delays) linger();
  if (phase.stays) dawdle();
  leave(stay);
  if (phase.stays) dawdle();
}

// Mostly up to a microsecond, so that sections begin and end at any distance from what the updater does; now and then
// long enough for a callback to come too early.
void Visitor::dawdle() {
  if (random_.one_in(256)) return spin_ns(20 * kUs + random_.below(80 * kUs));
  for (uint64_t turns = random_.below(2048); turns > 0; --turns) std::atomic_signal_fence(std::memory_order_seq_cst);
}

// Not zeroed, so that pages come as they are touched.
void Visitor::make_stuffing() { stuffing_.reset(new uint64_t[kStuffing]); }

// Down the chain of a list or a bucket: generations fall, whatever updaters do meanwhile.
void Visitor::walk(Element* e) {
  uint64_t newest =
      e->generation.load(std::memory_order_relaxed);  // relaxed: ordered by the dependency, all four
  while (Element* next = load(e->next)) {
    const uint64_t generation = next->generation.load(std::memory_order_relaxed);
    const uint64_t payload = next->payload.load(std::memory_order_relaxed);
    if (payload != seal(generation) || generation >= newest) {
      bad_look(next, generation, payload, 0);
      return;
    }
    if (const uint32_t pipe = next->pipe.load(std::memory_order_relaxed); pipe > 1) bad_pipe(pipe);
    newest = generation;
    e = next;
  }
}

// rcutorture's mix of delays, for about three readers: long ones are rare, short ones common.
void Visitor::linger() {
  constexpr uint64_t readers = 3;
  delaying_.store(true, std::memory_order_relaxed);  // relaxed: a hint for the stall watch
  if (level_ == Level::kSignal) {
    if (random_.one_in(readers * 200)) spin_ns(20 * kUs);
  } else {
    if (random_.one_in(readers * 1000)) spin_ns(50 * kMs);
    if (random_.one_in(readers * 2 * 200)) spin_ns(200 * kUs);
    if (random_.one_in(readers * 500)) sched_yield();
    if ((ops_.facts & SRCUTORTURE_SLEEPING_READER) && random_.one_in(readers * 1000))
      harness::sleep_ns(10 * kMs);
  }
  delaying_.store(false, std::memory_order_relaxed);
}

// The ordering across a grace period: A's progress is seen by us in a section (relaxed), the updater hands
// the note to B after the grace period, and B must see at least that progress. Only the grace period orders
// our look before B's.
void Visitor::note_sighting(Element* e) {
  if (peers_.size() < 2 || !random_.one_in(4)) return;
  const auto who = static_cast<unsigned>(random_.below(peers_.size()));
  if (who == id_ || !peers_[who]) return;
  e->sighting.store(Sighting{who, peers_[who]->progress()}.packed(),
                    std::memory_order_relaxed);  // relaxed: as said
}

void Visitor::deliver(uint64_t sighting) {
  // release [sighting]: pairs with the acquire in read_inbox. A note that was not read yet is lost, and may
  // be.
  inbox_.store(sighting, std::memory_order_release);
}

void Visitor::read_inbox() {
  // acquire: pairs with [sighting]
  const uint64_t word = inbox_.load(std::memory_order_acquire);
  if (word == 0) return;
  inbox_.store(0, std::memory_order_relaxed);  // relaxed: at worst a fresh note is lost
  const Sighting noted = Sighting::of(word);
  const uint64_t seen = peers_[noted.who]->progress() & Sighting::kProgressMask;
  if (seen < noted.progress) {
    faults_.note(Check::kMemoryOrder,
                 "another reader was seen at section {}, and after a grace period at section {}",
                 noted.progress, seen);
  }
}

void Visitor::bad_look(Element* e, uint64_t generation, uint64_t payload, uint64_t newest) {
  // relaxed: diagnosis
  const uint32_t pipe = e->pipe.load(std::memory_order_relaxed);
  if (payload == kPoison || pipe > 1) {
    faults_.note(Check::kTooShortGp, "a reader found a freed element: pipe count {}, generation {}", pipe,
                 generation);
  } else if (payload != seal(generation)) {
    faults_.note(Check::kMemoryOrder, "an element of generation {} holds the payload {:#x} of another",
                 generation, payload);
  } else {
    faults_.note(Check::kMemoryOrder, "after an element of generation {} a reader saw one of generation {}",
                 newest, generation);
  }
}

void Visitor::bad_pipe(uint32_t pipe) {
  faults_.note(Check::kTooShortGp,
               "a reader still held an element; whole grace periods since it was taken away: {}", pipe - 1);
}

// A failure only where the scheme says that its sequence is exact; elsewhere the judge goes by the rate.
void Visitor::near_miss(uint64_t passed) {
  if (!has(ops_, SRCUTORTURE_GP_SEQ_EXACT)) return;
  faults_.note(Check::kTooShortGp,
               "grace periods that ended within one section, by the scheme's own sequence: {}", passed);
}

}  // namespace torture
