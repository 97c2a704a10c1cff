#include "harness/base/random.hpp"

#include <sys/random.h>

#include "harness/base/errors.hpp"
#include "harness/base/splitmix.hpp"

namespace harness {

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
