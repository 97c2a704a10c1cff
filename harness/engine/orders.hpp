// Labelled memory orders: code under test asks at each of its labelled sites whether it is to do without. So `--drop-order LABEL`
// shows which test needs which order, without another build.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace engine {

/// The labels that the program has; defined once, beside its tests.
struct Orders {
  Orders(std::initializer_list<const char*> labels);
};

/// The label to do without in this execution, "" for none and outside of executions. No step is made.
const char* dropped_order();

/// `label`, if the program has it; otherwise harness::UsageError with those that are near.
std::string known_order(std::string_view label);

}  // namespace engine
