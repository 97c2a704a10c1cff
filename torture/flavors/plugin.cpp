#include "torture/flavors/plugin.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "harness/base/errors.hpp"
#include "torture/flavors/plugin_trial.hpp"

namespace torture {

const Ops& load_plugin(const std::string& path) {
  std::error_code error;
  const std::filesystem::path file =
      std::filesystem::absolute(path, error);  // a bare name would be searched for
  if (!std::filesystem::is_regular_file(file, error)) {
    throw harness::UsageError(fmt::format("--plugin {}: no such file; name a shared object", path));
  }
  if (const std::string trouble = trouble_loading(file); !trouble.empty())
    throw harness::UsageError(fmt::format("--plugin {} {}", path, trouble));
  void* object = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!object) throw harness::UsageError(fmt::format("--plugin {} does not load: {}", path, dlerror()));
  const void* symbol = dlsym(object, "srcutorture_ops");
  if (!symbol) {
    throw harness::UsageError(fmt::format(
        "--plugin {} exports no srcutorture_ops: define it as srcutorture/ops.h says, with C linkage", path));
  }
  const Ops& ops = *static_cast<const Ops*>(symbol);
  if (const std::string why = refusal(ops); !why.empty()) {
    throw harness::UsageError(fmt::format("--plugin {} cannot be used: {}", path, why));
  }
  return ops;
}

}  // namespace torture
