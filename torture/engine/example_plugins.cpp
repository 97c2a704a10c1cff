// The example's two schemes as tests of srcutorture-engine, and wrong variants of theirs, which must be found.
#include "torture/engine/plugin_tests.hpp"

extern "C" {
extern const struct srcutorture_ops handmade, handmade_forgets_to_wait, epochs, epochs_one_is_enough, epochs_without_fence;
}

namespace torture::controlled {
namespace {

template <const struct srcutorture_ops& kOps>
void add_wrong_variant(const char* name) {
  using S = Scheme<kOps>;
  add<kOps>(name, "Must fail: a scheme that is known to be wrong.",
            {S::read_twice, S::read_twice, S::template wait_by<&srcutorture_ops::synchronize>});
}

[[maybe_unused]] const bool added = [] {
  add_tests<handmade>("handmade");
  add_wrong_tests<handmade>("handmade");
  add_wrong_variant<handmade_forgets_to_wait>("wrong_handmade_forgets_to_wait");
  add_tests<epochs>("epochs");
  add_wrong_tests<epochs>("epochs");
  add_wrong_variant<epochs_one_is_enough>("wrong_epochs_one_is_enough");
  add_wrong_variant<epochs_without_fence>("wrong_epochs_without_fence");
  return true;
}();

}  // namespace
}  // namespace torture::controlled
