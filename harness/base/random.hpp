#pragma once

#include <cstdint>
#include <string_view>

namespace harness {

/// A random stream that belongs to one thread. The same (seed, role, index) gives the same stream on every
/// machine, whatever other threads draw. Algorithm: xoshiro256** by Blackman and Vigna, seeded through
/// splitmix64.
class Random {
 public:
  Random(uint64_t seed, std::string_view role, uint64_t index);

  uint64_t next() {
    const uint64_t result = rotl(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotl(state_[3], 45);
    return result;
  }

  /// Uniform in [0, bound), 0 when bound is 0. The bias of at most bound / 2^64 does not matter to a torture.
  uint64_t below(uint64_t bound) { return static_cast<uint64_t>((static_cast<Wide>(next()) * bound) >> 64); }

  /// True once in `n` draws on average; never when n is 0.
  bool one_in(uint64_t n) { return n != 0 && below(n) == 0; }

 private:
  __extension__ using Wide = unsigned __int128;
  static uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  uint64_t state_[4];
};

/// A seed for a run that was given none (getrandom(2)).
uint64_t fresh_seed();

}  // namespace harness
