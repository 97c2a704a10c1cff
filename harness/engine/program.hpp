#pragma once

namespace engine {

/// The test program: runs, lists and replays the tests linked into it.
int program(int argc, char** argv);

/// What `--faults` is where nobody says. Weak: srcutorture_engine_test(... FAULTS ...) defines another, for
/// code that is not made for some.
const char* default_faults();

}  // namespace engine
