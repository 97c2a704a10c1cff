// The cells that the engine runs, each under the name of a test. Not under control: they are there before anything begins.
#pragma once

#include <string>
#include <vector>

#include "torture/kernel/cell.hpp"

namespace torture {

struct Subject {
  std::string name;      ///< "rq_lock/direct/own/expedited", with the dimensions that the context has; no colons, for tokens' sake.
  std::string sentence;  ///< "deadlock: because ...", as predicted.
  Cell cell;
  bool nmi_anywhere = false;  ///< Not a cell of the matrix: the NMI may come at any step of a post.
  bool load = false;          ///< An ordinary poster is there, too.
};

const std::vector<Subject>& subjects();

/// There is one.
const Subject& subject_of(const char* test_name);

}  // namespace torture
