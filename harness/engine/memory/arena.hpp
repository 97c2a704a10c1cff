// Memory for what one execution remembers: taken piece by piece, given back all at once and kept for the next execution.
// From mmap, since malloc's thread-local state belongs to the threads under test.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>

namespace engine::memory {

/// Zeroed; ends the program when there is none.
inline void* map_pages(size_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) abort();
  return pages;
}

class Arena {
 public:
  Arena() = default;
  ~Arena() {
    for (Block *block = first_, *next; block; block = next) {
      next = block->next;
      munmap(block, block->bytes);
    }
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void reset() { enter(first_); }

  /// Aligned to 16; what it holds is left over.
  void* take(size_t bytes) {
    bytes = (bytes + 15) & ~size_t{15};
    while (static_cast<size_t>(end_ - next_) < bytes) next_block(bytes);
    char* taken = next_;
    next_ += bytes;
    return taken;
  }

  template <class T>
  T* make() {
    return new (take(sizeof(T))) T();
  }

 private:
  struct alignas(16) Block {
    Block* next;
    size_t bytes;
  };
  static constexpr size_t kBlock = size_t{1} << 20;

  void enter(Block* block) {
    current_ = block;
    next_ = block ? reinterpret_cast<char*>(block + 1) : nullptr;
    end_ = block ? reinterpret_cast<char*>(block) + block->bytes : nullptr;
  }

  void next_block(size_t bytes) {
    Block*& link = current_ ? current_->next : first_;
    if (!link) {
      const size_t size = bytes + sizeof(Block) > kBlock ? (bytes + sizeof(Block) + 4095) & ~size_t{4095} : kBlock;
      link = new (map_pages(size)) Block{nullptr, size};
    }
    enter(link);
  }

  Block *first_ = nullptr, *current_ = nullptr;
  char *next_ = nullptr, *end_ = nullptr;
};

/// An array that grows in an arena, and never shrinks there.
template <class T>
class Growing {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](uint32_t i) { return items_[i]; }
  const T& operator[](uint32_t i) const { return items_[i]; }
  T& back() { return items_[size_ - 1]; }
  const T& back() const { return items_[size_ - 1]; }
  T* begin() { return items_; }
  T* end() { return items_ + size_; }
  const T* begin() const { return items_; }
  const T* end() const { return items_ + size_; }
  void shrink(uint32_t size) { size_ = size; }

  T& push(Arena& arena, const T& item) {
    if (size_ == capacity_) grow(arena);
    items_[size_] = item;
    return items_[size_++];
  }

  void insert(Arena& arena, uint32_t at, const T& item) {
    push(arena, item);
    for (uint32_t i = size_ - 1; i > at; --i) items_[i] = items_[i - 1];
    items_[at] = item;
  }

  void erase(uint32_t from, uint32_t to) {
    for (uint32_t i = to; i < size_; ++i) items_[from + i - to] = items_[i];
    size_ -= to - from;
  }

 private:
  void grow(Arena& arena) {
    const uint32_t capacity = capacity_ ? 2 * capacity_ : 4;
    T* items = static_cast<T*>(arena.take(capacity * sizeof(T)));
    if (size_) memcpy(items, items_, size_ * sizeof(T));
    items_ = items;
    capacity_ = capacity;
  }

  T* items_ = nullptr;
  uint32_t size_ = 0, capacity_ = 0;
};

}  // namespace engine::memory
