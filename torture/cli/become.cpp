#include "torture/cli/become.hpp"

#include <unistd.h>

#include <cerrno>

#include "harness/base/errors.hpp"

namespace torture {

std::filesystem::path this_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) throw harness::Broken("where this program is cannot be told: /proc/self/exe cannot be read, " + error.message());
  return self;
}

int become(const std::filesystem::path& path, std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(path.c_str(), argv.data());
  return errno;
}

}  // namespace torture
