// The small generator: one word of state. It seeds Random, and serves where a stream must be cheap to make.
#pragma once

#include <cstdint>

namespace harness {

/// The next number of the stream whose state is `x`. Algorithm: splitmix64 by Steele, Lea and Flood.
inline uint64_t splitmix(uint64_t& x) {
  uint64_t z = (x += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace harness
