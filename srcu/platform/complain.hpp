// How the library speaks when it is misused: one line on stderr that says what, where, and how to mend it.
#pragma once

namespace srcu {

/// One line on stderr. Signal-safe but for the formatting of floating-point numbers.
[[gnu::format(printf, 1, 2)]] void complain(const char* format, ...);

/// The same, then abort().
[[noreturn, gnu::format(printf, 1, 2)]] void die(const char* format, ...);

}  // namespace srcu
