// How code under test is disturbed for some milliseconds: a setting, drawn from the seed, that fits in one word.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "harness/base/random.hpp"

namespace engine::chaos {

enum class Kind : uint8_t {
  kQuiet,    ///< Nothing. A delay drains the store buffer, so missing fences show themselves only here.
  kUniform,  ///< Each access alike.
  kSwarm,    ///< Half of the sites, each with an action and a rate of its own.
  kFocus,    ///< One to three sites, often: what finds a window that is one access wide.
};
inline constexpr unsigned kKinds = 4;

enum class Action : uint8_t { kNone, kYield, kSpin, kSleep };
inline constexpr unsigned kActions = 3;  ///< But for kNone.

/// Where an access stands in the program: the part of its address that is the same wherever the program is loaded.
/// Two sites may share a number, and then what is done to one is done to both.
using Site = uint16_t;
inline constexpr unsigned kSites = 4096;
inline Site site_of(const void* return_address) {
  return static_cast<Site>(reinterpret_cast<uintptr_t>(return_address) % kSites);
}

struct Epoch {
  Kind kind = Kind::kQuiet;
  uint8_t actions = 0;  ///< Bit 0: yield, and so on; not for kSwarm.
  uint8_t one_in = 0;   ///< So many accesses for each that is disturbed: 1 to 127; not for kSwarm.
  uint8_t sites = 0;    ///< How many of `focus` count: 1 to 3.
  std::array<Site, 3> focus{};
  uint64_t swarm = 0;  ///< What each site draws its part from: 36 bits.

  /// 0 for a quiet one, and for no other.
  uint64_t word() const;
  static Epoch of(uint64_t word);

  bool operator==(const Epoch&) const = default;
};

/// What an epoch does to one site.
struct Part {
  uint8_t one_in;   ///< 0: nothing.
  uint8_t actions;  ///< As in Epoch.
};
Part part_of(const Epoch& epoch, Site site);

/// The epochs of a run, dealt in fives: in each five every kind comes at least once.
class Epochs {
 public:
  explicit Epochs(uint64_t seed);

  /// `seen`: the sites that a focus may be on. Without any, all are disturbed alike instead.
  Epoch next(const std::vector<Site>& seen);
  /// How long the one that next() gave lasts: 5 to 20 ms.
  uint64_t length_ns();

 private:
  Kind next_kind();
  std::array<Kind, 5> deck_{Kind::kQuiet, Kind::kUniform, Kind::kSwarm, Kind::kFocus, Kind::kFocus};
  unsigned dealt_ = 5;
  harness::Random random_;
};

}  // namespace engine::chaos
