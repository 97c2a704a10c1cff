#include "torture/flavors/plugin.hpp"

#include <gtest/gtest.h>

#include <filesystem>

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
  EXPECT_NE(refused(ABORTS_PLUGIN).find("by SIGABRT"), std::string::npos) << refused(ABORTS_PLUGIN);
  EXPECT_NE(refused(LEAVES_PLUGIN).find("ends a process"), std::string::npos) << refused(LEAVES_PLUGIN);
  EXPECT_NE(refused(EARLY_THREAD_PLUGIN).find("start it in create()"), std::string::npos) << refused(EARLY_THREAD_PLUGIN);
  EXPECT_NE(refused(OLD_PLUGIN).find("version 99"), std::string::npos) << refused(OLD_PLUGIN);
}

// The end of the file is mapped, and not there.
TEST(Plugin, CutFileIsRefused) {
  std::string said;
  for (uintmax_t size = std::filesystem::file_size(SOUND_PLUGIN) / 4096 * 4096; size > 0; size -= 4096) {
    const std::string cut = testing::TempDir() + "cut_plugin" + std::to_string(size) + ".so";
    std::filesystem::copy_file(SOUND_PLUGIN, cut, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(cut, size);
    said += refused(cut) + "\n";  // or it is taken, if nothing is cut that is needed
    std::filesystem::remove(cut);
  }
  EXPECT_NE(said.find("by SIGBUS: the file is cut short"), std::string::npos) << said;
}

}  // namespace
}  // namespace torture
