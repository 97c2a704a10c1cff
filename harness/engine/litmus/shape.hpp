// A litmus shape: a few threads of a few operations each, and what may come of them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace engine::litmus {

/// Outcomes are one digit a register, as "10" for r[0] == 1, r[1] == 0; '.' is any digit, and "race" a data race. Lists have spaces
/// between them. An outcome that no list names is a mistake in the table, or in the engine.
struct Expected {
  std::string forbidden;      ///< By C++20; by x86, too.
  std::string seen;           ///< Allowed, and claimed to be produced.
  std::string holes{};        ///< Allowed by C++20, never produced: README.md says why.
  std::string x86_forbidden{};  ///< By x86 as well; what is left of `seen` is claimed there.
  std::string may{};          ///< Allowed, nothing claimed.
};

struct Shape {
  std::string name, sentence;
  std::vector<std::vector<void (*)()>> threads;  ///< An operation each.
  Expected expected;
  std::vector<void (*)()> after{};  ///< When all have ended, by whoever started them.

  unsigned registers() const {
    for (const std::string* list : {&expected.seen, &expected.forbidden, &expected.may})
      for (size_t at = 0, end; at < list->size(); at = end + 1) {
        end = std::min(list->find(' ', at), list->size());
        if (list->compare(at, end - at, "race") != 0) return static_cast<unsigned>(end - at);
      }
    return 0;
  }
};

}  // namespace engine::litmus

#define OP(...) [] { __VA_ARGS__; }
