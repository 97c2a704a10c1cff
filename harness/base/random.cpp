#include "harness/base/random.hpp"

#include <sys/random.h>

#include "harness/base/errors.hpp"

namespace harness {
namespace {

uint64_t splitmix(uint64_t& x) {
  uint64_t z = (x += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(uint64_t seed, std::string_view role, uint64_t index) {
  uint64_t mix = seed;
  for (const char c : role) mix = splitmix(mix) ^ static_cast<unsigned char>(c);
  mix = splitmix(mix) ^ index;
  for (uint64_t& word : state_) word = splitmix(mix);
}

uint64_t fresh_seed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) throw Broken("getrandom() gave no seed; pass --seed");
  return seed;
}

}  // namespace harness
