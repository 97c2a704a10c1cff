#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace harness {

/// Those of `names` that are closest to `word` by edit distance and close enough to be meant; often one,
/// maybe none. What follows a colon in a name is an example argument and is not compared.
std::vector<std::string> nearest_names(std::string_view word, const std::vector<std::string>& names);

/// "; did you mean compact or cores?", empty when nothing is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& names);

}  // namespace harness
