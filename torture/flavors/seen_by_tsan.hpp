// liburcu is not instrumented: ThreadSanitizer sees neither its fences nor its atomics, and would call what
// they order a race. These marks tell it the orders that liburcu promises, which it then takes for granted.
// They do nothing in other builds.
#pragma once

#ifdef SRCUTORTURE_TSAN
#include <sanitizer/tsan_interface.h>
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace torture {

/// What this thread did so far comes before what another does after tsan_acquire() of the same object.
inline void tsan_release([[maybe_unused]] void* object) {
#ifdef SRCUTORTURE_TSAN
  __tsan_release(object);
#endif
}
inline void tsan_acquire([[maybe_unused]] void* object) {
#ifdef SRCUTORTURE_TSAN
  __tsan_acquire(object);
#endif
}

/// Around a call into liburcu in which it uses memory of its own that another of its threads also uses.
class UnseenByTsan {
 public:
#ifdef SRCUTORTURE_TSAN
  UnseenByTsan() {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~UnseenByTsan() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
#else
  UnseenByTsan() {}  // not defaulted: a variable that only lives would be called unused
#endif
  UnseenByTsan(const UnseenByTsan&) = delete;
  UnseenByTsan& operator=(const UnseenByTsan&) = delete;
};

}  // namespace torture
