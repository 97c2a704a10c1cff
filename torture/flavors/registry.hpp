// The schemes that are built in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "torture/ops.hpp"

struct srcu_struct;

namespace torture {

/// A built-in scheme and what is known about it.
struct Flavor {
  const Ops* ops;     ///< Lives as long as the program; ops->name is the flavour's name.
  std::string trips;  ///< For a deliberately broken flavour the check that fails first; empty for the others.
  std::string sentence;  ///< What it is, for lists.
  std::string canary;    ///< The broken flavour that a run of this one must catch; empty for broken flavours.
  bool foreign = false;  ///< Its code is another library's, and not compiled here.
};

/// All of them, in the order of lists: sound ones first. Made at the first call; any thread.
const std::vector<Flavor>& flavors();

/// Whether it is this project's SRCU, which knows ways of deferring.
bool takes_strategy(const Ops& ops);
/// The one that SRCU's domains get from now on in this process: a known name, which stays where it is.
void choose_strategy(const char* name);
/// What is done from now on in this process to each of SRCU's domains before its first use; null: nothing.
void prepare_domains(void (*prepare)(srcu_struct* ssp));

/// The flavour of that name. Throws UsageError that names the nearest ones.
const Flavor& find_flavor(std::string_view name);

}  // namespace torture
