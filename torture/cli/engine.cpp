#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/base/errors.hpp"
#include "torture/cli/commands.hpp"

namespace torture {
namespace {

std::filesystem::path beside_this_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) throw harness::Broken("where this program is cannot be told: no /proc; --binary names the engine");
  return self.parent_path() / "srcutorture-engine";
}

}  // namespace

int engine_command(const std::string& what, const EngineOptions& options) {
  const std::filesystem::path binary = options.binary ? *options.binary : beside_this_program();
  std::vector<std::string> words{binary.string(), what};
  words.insert(words.end(), options.words.begin(), options.words.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(binary.c_str(), argv.data());
  throw harness::UsageError(fmt::format("{} cannot be run: {} (--binary names another)", binary.string(), std::strerror(errno)));
}

}  // namespace torture
