#include "harness/supervise/shared_pages.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "harness/base/errors.hpp"

namespace harness {

void* map_shared(size_t bytes, const char* what) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    throw Broken(fmt::format("no {} bytes of shared memory for {}: {}: free some memory and run again", bytes,
                             what, std::strerror(errno)));
  return memory;
}

void unmap_shared(void* memory, size_t bytes) { munmap(memory, bytes); }

}  // namespace harness
