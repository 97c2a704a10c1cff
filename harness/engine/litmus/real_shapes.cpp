// Instrumented, unlike the rest of this folder.
#include "harness/engine/litmus/real.hpp"
#include "harness/engine/litmus/real_words.hpp"

namespace engine::litmus::real {

Atomic<int> x, y, z;
Bytes bytes;
Atomic<uint8_t>&x1 = bytes.x, &y1 = bytes.y;
Atomic<uint16_t> x2, y2;
Atomic<uint64_t> x8, y8;
Atomic<Wide> x16, y16;
Atomic<uintptr_t> box;
int data;
int r[8];

std::vector<Shape> shapes() {
  return {
#include "harness/engine/litmus/shapes/all.inc"
  };
}

}  // namespace engine::litmus::real
