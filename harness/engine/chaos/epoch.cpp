#include "harness/engine/chaos/epoch.hpp"

#include <algorithm>
#include <utility>

#include "harness/base/splitmix.hpp"

namespace engine::chaos {
namespace {

constexpr unsigned kYield = 1, kSpin = 2, kSleep = 4;
// Yields find most; the others are there for what only they find.
constexpr std::array<uint8_t, 8> kMixtures = {kYield, kYield, kYield | kSleep, kYield | kSleep, kYield | kSpin, kSpin,
                                              kSleep, kYield | kSpin | kSleep};
constexpr std::array<uint8_t, 5> kRates = {5, 10, 20, 50, 100}, kFocusRates = {1, 2, 4, 4, 8};

// In a word: where each member begins.
constexpr unsigned kActionsAt = 2, kOneInAt = 5, kSitesAt = 12, kRestAt = 14, kSiteBits = 12;
constexpr uint64_t kSwarmMask = (uint64_t{1} << 36) - 1;

template <class Choices>
auto one_of(const Choices& choices, harness::Random& random) {
  return choices[random.below(choices.size())];
}

}  // namespace

uint64_t Epoch::word() const {
  uint64_t rest = swarm & kSwarmMask;
  for (unsigned i = 0; i < sites; ++i) rest |= uint64_t{focus[i]} << (i * kSiteBits);
  return static_cast<uint64_t>(kind) | uint64_t{actions} << kActionsAt | uint64_t{one_in} << kOneInAt |
         uint64_t{sites} << kSitesAt | rest << kRestAt;
}

Epoch Epoch::of(uint64_t word) {
  Epoch epoch{.kind = static_cast<Kind>(word & 3),
              .actions = static_cast<uint8_t>(word >> kActionsAt & 7),
              .one_in = static_cast<uint8_t>(word >> kOneInAt & 127),
              .sites = static_cast<uint8_t>(word >> kSitesAt & 3)};
  const uint64_t rest = word >> kRestAt & kSwarmMask;
  if (epoch.kind == Kind::kSwarm) epoch.swarm = rest;
  for (unsigned i = 0; i < epoch.sites; ++i) epoch.focus[i] = static_cast<Site>(rest >> (i * kSiteBits) & (kSites - 1));
  return epoch;
}

Part part_of(const Epoch& epoch, Site site) {
  switch (epoch.kind) {
    case Kind::kQuiet:
      return {0, 0};
    case Kind::kUniform:
      return {epoch.one_in, epoch.actions};
    case Kind::kFocus:
      for (unsigned i = 0; i < epoch.sites; ++i)
        if (epoch.focus[i] == site) return {epoch.one_in, epoch.actions};
      return {0, 0};
    case Kind::kSwarm:
      break;
  }
  uint64_t stream = epoch.swarm << kSiteBits | site;
  const uint64_t drawn = harness::splitmix(stream);
  if (drawn & 1) return {0, 0};
  return {static_cast<uint8_t>(2U << (drawn >> 1) % 6), static_cast<uint8_t>(1U << (drawn >> 8) % kActions)};
}

Epochs::Epochs(uint64_t seed) : random_(seed, "chaos", 0) {}

Kind Epochs::next_kind() {
  if (dealt_ == deck_.size()) {
    for (size_t left = deck_.size(); left > 1; --left) std::swap(deck_[left - 1], deck_[random_.below(left)]);
    dealt_ = 0;
  }
  return deck_[dealt_++];
}

Epoch Epochs::next(const std::vector<Site>& seen) {
  Epoch epoch{.kind = next_kind()};
  if (epoch.kind == Kind::kFocus && seen.empty()) epoch.kind = Kind::kUniform;
  if (epoch.kind == Kind::kSwarm) epoch.swarm = random_.next() & kSwarmMask;
  if (epoch.kind == Kind::kUniform || epoch.kind == Kind::kFocus) {
    epoch.actions = one_of(kMixtures, random_);
    epoch.one_in = epoch.kind == Kind::kFocus ? one_of(kFocusRates, random_) : one_of(kRates, random_);
  }
  if (epoch.kind == Kind::kFocus) {
    epoch.sites = static_cast<uint8_t>(1 + random_.below(epoch.focus.size()));
    for (unsigned i = 0; i < epoch.sites; ++i) epoch.focus[i] = one_of(seen, random_);
  }
  return epoch;
}

uint64_t Epochs::length_ns() { return 5'000'000 + random_.below(15'000'001); }

}  // namespace engine::chaos
