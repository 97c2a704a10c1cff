#include "torture/flavors/plugin.hpp"

#include <gtest/gtest.h>

#include "harness/base/errors.hpp"

namespace torture {
namespace {

std::string refused(const std::string& path) {
  try {
    load_plugin(path);
  } catch (const harness::UsageError& error) {
    return error.what();
  }
  return "it was taken";
}

TEST(Plugin, SoundOneIsTaken) { EXPECT_STREQ(load_plugin(SOUND_PLUGIN).name, "test-plugin"); }

TEST(Plugin, EachFaultHasItsMessage) {
  EXPECT_NE(refused("/no/such.so").find("no such file"), std::string::npos);
  EXPECT_NE(refused("/etc/passwd").find("does not load"), std::string::npos) << refused("/etc/passwd");
  EXPECT_NE(refused(EMPTY_PLUGIN).find("exports no srcutorture_ops"), std::string::npos)
      << refused(EMPTY_PLUGIN);
  EXPECT_NE(refused("/tmp").find("no such file"), std::string::npos) << "a folder: " << refused("/tmp");
  EXPECT_NE(refused(SHORT_PLUGIN).find("size 16"), std::string::npos) << refused(SHORT_PLUGIN);
  EXPECT_NE(refused(USELESS_PLUGIN).find("neither synchronize nor call"), std::string::npos)
      << refused(USELESS_PLUGIN);
  EXPECT_NE(refused(OLD_PLUGIN).find("version 99"), std::string::npos) << refused(OLD_PLUGIN);
}

}  // namespace
}  // namespace torture
