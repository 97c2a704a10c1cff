// The tests of the one scheme that is linked into this program, under the name that all plugins export.
#include <srcutorture/engine/plugin_tests.hpp>

static const bool added = (torture::controlled::add_tests<srcutorture_ops>(srcutorture_ops.name), true);
