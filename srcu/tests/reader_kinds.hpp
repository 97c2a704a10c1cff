// All kinds of readers behind one face, for tests that hold for each.
#pragma once

#include <array>
#include <cstdint>
#include <ostream>

#include "srcu/tests/support.hpp"

namespace srcu::test {

/// What a lock returns, of whatever type.
using Token = uintptr_t;

struct ReaderKind {
  const char* name;
  int (*init)(srcu_struct*);
  Token (*lock)(srcu_struct*);
  void (*unlock)(srcu_struct*, Token);
};

inline void PrintTo(const ReaderKind& kind, std::ostream* out) { *out << kind.name; }

template <int (*lock)(srcu_struct*), void (*unlock)(srcu_struct*, int)>
constexpr ReaderKind by_number(const char* name) {
  return {name, init_srcu_struct, [](srcu_struct* ssp) { return static_cast<Token>(lock(ssp)); },
          [](srcu_struct* ssp, Token token) { unlock(ssp, static_cast<int>(token)); }};
}

template <srcu_ctr* (*lock)(srcu_struct*), void (*unlock)(srcu_struct*, srcu_ctr*)>
constexpr ReaderKind by_pointer(const char* name, int (*init)(srcu_struct*)) {
  return {name, init, [](srcu_struct* ssp) { return reinterpret_cast<Token>(lock(ssp)); },
          [](srcu_struct* ssp, Token token) { unlock(ssp, reinterpret_cast<srcu_ctr*>(token)); }};
}

inline constexpr ReaderKind kNormal = by_number<srcu_read_lock, srcu_read_unlock>("normal");
inline constexpr ReaderKind kNmisafe = by_number<srcu_read_lock_nmisafe, srcu_read_unlock_nmisafe>("nmisafe");
inline constexpr ReaderKind kUpdown = by_number<srcu_down_read, srcu_up_read>("updown");
inline constexpr ReaderKind kFast =
    by_pointer<srcu_read_lock_fast, srcu_read_unlock_fast>("fast", init_srcu_struct_fast);
inline constexpr ReaderKind kFastUpdown =
    by_pointer<srcu_read_lock_fast_updown, srcu_read_unlock_fast_updown>("fast_updown", init_srcu_struct_fast_updown);
inline constexpr ReaderKind kDownFast =
    by_pointer<srcu_down_read_fast, srcu_up_read_fast>("down_fast", init_srcu_struct_fast_updown);

inline const std::array kReaderKinds = {kNormal, kNmisafe, kUpdown, kFast, kFastUpdown, kDownFast};
/// Those whose sections another thread may close.
inline const std::array kUpdownKinds = {kUpdown, kFastUpdown, kDownFast};

class EachReader : public testing::TestWithParam<ReaderKind> {
 protected:
  Token lock() { return GetParam().lock(domain); }
  void unlock(Token token) { GetParam().unlock(domain, token); }

  Domain domain{GetParam().init};
  Usage& usage = domain.usage();
};

/// "fast" for a test's name.
inline std::string name_of(const testing::TestParamInfo<ReaderKind>& info) { return info.param.name; }

}  // namespace srcu::test
