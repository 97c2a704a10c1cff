#include "harness/record/files.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>

#include "harness/base/errors.hpp"

namespace harness {
namespace {

class Files : public testing::Test {
 protected:
  Files() {
    std::string pattern = testing::TempDir() + "filesXXXXXX";
    dir_ = mkdtemp(pattern.data());
  }
  ~Files() override { std::filesystem::remove_all(dir_); }
  std::filesystem::path dir_;
};

TEST_F(Files, WriteOnceReplacesWhole) {
  write_once(dir_ / "a", "first");
  write_once(dir_ / "a", "second");
  EXPECT_EQ(read_text(dir_ / "a"), "second");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "a.tmp"));
}

TEST_F(Files, LinesAreAppendedAcrossReopening) {
  { Appender(dir_ / "log").line("one"); }
  { Appender(dir_ / "log").line("two"); }
  EXPECT_EQ(whole_lines(dir_ / "log"), (std::vector<std::string>{"one", "two"}));
}

TEST_F(Files, CutLastLineIsSkippedAndEndedByTheNextWriter) {
  std::ofstream(dir_ / "log") << "whole\ncu";
  EXPECT_EQ(whole_lines(dir_ / "log"), (std::vector<std::string>{"whole"}));
  Appender(dir_ / "log").line("next");
  EXPECT_EQ(whole_lines(dir_ / "log"), (std::vector<std::string>{"whole", "cu", "next"}));
}

TEST_F(Files, WhatIsNoFileIsNotWaitedFor) {
  ASSERT_EQ(mkfifo((dir_ / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(read_text(dir_ / "pipe"), Broken);
  EXPECT_THROW(read_text("/dev/zero"), Broken);
  EXPECT_THROW(read_text(dir_), Broken);
  EXPECT_THROW(read_text(dir_ / "none"), Broken);
}

TEST_F(Files, FullDiskIsBrokenAndNamesTheCure) {
  try {
    Appender("/dev/full").line("x");
    FAIL() << "a line went to a full disk";
  } catch (const Broken& broken) {
    EXPECT_NE(std::string(broken.what()).find("free some space"), std::string::npos) << broken.what();
  }
}

TEST_F(Files, AMissingDirectoryIsNamedWithItsCure) {
  try {
    write_once(dir_ / "no" / "x.svg", "x");
    FAIL() << "a file in no directory";
  } catch (const Broken& broken) {
    EXPECT_EQ(std::string(broken.what()), "cannot create " + (dir_ / "no" / "x.svg").string() +
                                              ": No such file or directory; make its directory first");
  }
}

TEST_F(Files, MissingAndUnwritableAreBroken) {
  EXPECT_THROW(read_text(dir_ / "none"), Broken);
  EXPECT_THROW(read_text(dir_), Broken);
  EXPECT_THROW(write_once(dir_ / "no" / "such", "x"), Broken);
  EXPECT_THROW(Appender(dir_ / "no" / "such"), Broken);
}

}  // namespace
}  // namespace harness
