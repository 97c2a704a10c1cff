#include "harness/supervise/sanitizer_reports.hpp"

// Weak: null where no sanitizer's runtime is loaded.
extern "C" [[gnu::weak]] void __sanitizer_set_report_path(const char* path);

namespace harness {

void sanitizer_reports_to(const std::filesystem::path& stem) {
  if (__sanitizer_set_report_path) __sanitizer_set_report_path(stem.c_str());
}

}  // namespace harness
