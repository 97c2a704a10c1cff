// For programs without the runtime.
#include "harness/base/errors.hpp"
#include "harness/engine/chaos/chaos.hpp"

namespace engine::chaos {

bool linked() { return false; }
uint64_t units() { return 0; }

struct Chaos::Rotation {};
Chaos::Chaos(uint64_t, std::function<bool()>) { throw harness::Broken("this program was linked without chaos"); }
Chaos::~Chaos() = default;
Counts Chaos::counts() const { return {}; }
std::vector<Counts> Chaos::by_thread() const { return {}; }
uint64_t Chaos::epochs() const { return 0; }
std::array<uint64_t, 4> Chaos::epochs_by_kind() const { return {}; }

}  // namespace engine::chaos
