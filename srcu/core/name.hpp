// What lines on stderr call a domain.
#pragma once

#include <stdio.h>

#include "srcu/srcu.h"

namespace srcu {

/// As it was defined, or, if init_srcu_struct() made it, by its address.
class Name {
 public:
  explicit Name(const srcu_struct* ssp) : defined_(ssp->srcu_name) {
    if (!defined_) snprintf(address_, sizeof address_, "%p", static_cast<const void*>(ssp));
  }
  const char* text() const { return defined_ ? defined_ : address_; }

 private:
  const char* const defined_;
  char address_[24];
};

}  // namespace srcu
