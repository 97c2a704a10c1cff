// Where a caller of call_srcu() may be: each context as something that is really entered and left.
#pragma once

#include <string>
#include <vector>

#include "srcu/srcu.h"
#include "torture/kernel/cpu.hpp"

namespace torture::kernel {

/// What runs in the context, once. Signal-safe, if the context is an NMI.
struct Body {
  void (*run)(void* argument);
  void* argument;
};

struct Scene {
  srcu_struct& domain;  ///< Whose section, callback, drain or lock the context is; the body may post to another.
  Cpu& cpu;             ///< Whose lock is held.
  unsigned place;       ///< Which of the context's places, counted from 0.
};

struct Context {
  const char* name;
  const char* sentence;
  bool by_instance;  ///< The lock may be this CPU's or another's.
  bool by_domain;    ///< The domain may be the one that is posted to, or another.
  unsigned places;   ///< 0: the model has no such context.
  /// Runs the body there; false if this domain never gets there.
  bool (*run_in)(const Scene& scene, const Body& body);
  Tracepoint* tracepoint = nullptr;  ///< Where natural paths come to it.
};

const std::vector<Context>& contexts();
/// Null if there is none of that name.
const Context* find_context(const std::string& name);

}  // namespace torture::kernel
