#pragma once

namespace engine {

/// The test program: runs, lists and replays the tests linked into it.
int program(int argc, char** argv);

}  // namespace engine
