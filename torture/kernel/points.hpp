// The tracepoints that belong to no lock.
#pragma once

#include "torture/kernel/tracepoint.hpp"

namespace torture::kernel {

extern Tracepoint sched_wakeup, sched_switch, timer_start, timer_expire, workqueue_queue, workqueue_execute,
    irq_work_queued, srcu_sdp_locked, srcu_sup_locked;

}  // namespace torture::kernel
