// System calls that the kernel refuses from now on, as a sandbox has it refuse them. For children: there is no way back.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "srcu/tests/support.hpp"

namespace srcu::test {

/// What the kernel answers `call` by, in this thread and those that it starts: SECCOMP_RET_ERRNO with an error, say.
inline void answer(unsigned call, unsigned by) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, by),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {sizeof filter / sizeof filter[0], filter};
  CHILD_CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  CHILD_CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

inline void refuse(unsigned call, unsigned error) { answer(call, SECCOMP_RET_ERRNO | error); }

}  // namespace srcu::test
