// A line of text that stands for one execution: build, test, and all settings.
#pragma once

#include <string>
#include <string_view>

#include "harness/engine/settings.hpp"

namespace engine {

struct Token {
  std::string build, test;
  Settings settings;
  uint64_t hash = 0;  ///< What the execution came to: if a replay's differs, it was another.
};

/// Of this program: what the linker wrote into it, 16 hexadecimal digits.
std::string build_id();

std::string to_text(const Token&);
/// Throws harness::UsageError unless it is one of this program's.
Token from_text(std::string_view);

const char* name_of(Strategy);
const char* name_of(Model);
Model model_of(std::string_view name);  ///< kCpp, if it is no model's.

}  // namespace engine
