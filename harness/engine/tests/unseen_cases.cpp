// Two threads use a library that the engine cannot see into: a race that it does not find, and says that it would not.
#include "harness/engine/test.hpp"

void put_aside(int value);
int take_again();

ENGINE_TEST(through_a_library, "Nobody sees this race.") { test.thread([] { put_aside(1); }).thread([] { take_again(); }); }
