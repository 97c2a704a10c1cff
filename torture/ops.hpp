// The ops table as the program sees it: the names of its facts, and whether it can be used at all.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "torture/ops.h"

namespace torture {

/// One tortured scheme. `struct` is needed: the object that a plugin exports has the same name as the type.
using Ops = struct ::srcutorture_ops;

/// A fact's bit and its name as in ops.h, without the prefix.
struct Fact {
  uint64_t bit;
  std::string_view name;
};

/// Every fact that this version knows, bit 0 first.
inline constexpr std::array<Fact, 10> kFacts = {{
    {SRCUTORTURE_SLEEPING_READER, "SLEEPING_READER"},
    {SRCUTORTURE_NESTS, "NESTS"},
    {SRCUTORTURE_UNLOCK_ELSEWHERE, "UNLOCK_ELSEWHERE"},
    {SRCUTORTURE_READER_IN_SIGNAL, "READER_IN_SIGNAL"},
    {SRCUTORTURE_CALL_IN_SIGNAL, "CALL_IN_SIGNAL"},
    {SRCUTORTURE_CALL_UNDER_LOCK, "CALL_UNDER_LOCK"},
    {SRCUTORTURE_CALL_IN_READER, "CALL_IN_READER"},
    {SRCUTORTURE_CALLBACKS_INLINE, "CALLBACKS_INLINE"},
    {SRCUTORTURE_STALLED_READER_BLOCKS_ALL, "STALLED_READER_BLOCKS_ALL"},
    {SRCUTORTURE_GP_SEQ_EXACT, "GP_SEQ_EXACT"},
}};

/// Whether `ops` claims every bit of `fact`.
inline bool has(const Ops& ops, uint64_t fact) { return (ops.facts & fact) == fact; }

/// Why this table cannot be used, as a phrase that begins in small letters and says what to do; empty when it
/// can. Reads nothing beyond version and size when these are not this program's.
std::string refusal(const Ops& ops);

}  // namespace torture
