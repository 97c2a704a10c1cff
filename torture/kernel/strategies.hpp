// The deferral strategies, as words of scenarios and lists.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace torture {

/// Name and sentence of each, in the order of lists.
std::vector<std::pair<std::string, std::string>> strategies();

/// Throws UsageError that names the nearest ones, if there is none of that name.
void check_strategy(const std::string& name);

/// Whether signal handlers may post under it.
bool bears_signals(const std::string& strategy);

/// Those that claim to bear a post from an NMI.
std::vector<std::string> strategies_that_bear_nmis();

}  // namespace torture
