#include "harness/engine/litmus/direct.hpp"
#include "harness/engine/litmus/direct_words.hpp"

namespace engine::litmus::direct {

Stage stage;

std::vector<Shape> shapes() {
  return {
#include "harness/engine/litmus/shapes/all.inc"
  };
}

}  // namespace engine::litmus::direct
