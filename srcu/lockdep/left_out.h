/* A program that uses all of srcu/lockdep.h, for a build without the prover. In either language. */
#include <stdint.h>

#include "srcu/lockdep.h"

#ifdef SRCU_LOCKDEP
#error "for builds without the prover"
#endif

static int reports_to_left_out;

static void count_report(const struct srcu_lockdep_report *report, void *argument) {
  (void)report;
  ++*(int *)argument;
}
static void count_edge(const struct srcu_lockdep_link *link, void *argument) {
  (void)link;
  ++*(int *)argument;
}

/* Deadlocks twice on paper. Null, or what should not be. */
#ifdef __cplusplus
extern "C"
#endif
const char *LEFT_OUT_FUNCTION(void);

const char *LEFT_OUT_FUNCTION(void) {
  static struct srcu_lockdep_class own = SRCU_LOCKDEP_CLASS("own", SRCU_LOCKDEP_SPIN);
  static const int lock = 0, other = 0;
  char text[8] = "before";
  srcu_lockdep_set_hook(count_report, &reports_to_left_out);
  srcu_lockdep_start();
  if (srcu_lockdep_on()) return "it is on";
  if (srcu_lockdep_set_own_wait(SRCU_LOCKDEP_CONFIG) != 0) return "the wait type of the library's locks is refused";
  if (srcu_lockdep_class_of(&lock, "object", SRCU_LOCKDEP_SLEEP)) return "an object has a class";
  srcu_lockdep_hardirqs_off();
  srcu_lockdep_acquire(&lock, &own, SRCU_LOCKDEP_WRITE);
  srcu_lockdep_acquire(&other, &own, SRCU_LOCKDEP_WRITE);
  srcu_lockdep_acquire_nested(&other, &own, 1, SRCU_LOCKDEP_READ);
  srcu_lockdep_acquire_nest_lock(&other, &own, SRCU_LOCKDEP_READ, &lock);
  srcu_lockdep_sync(&other, &own, SRCU_LOCKDEP_WRITE);
  srcu_lockdep_callback_enter(&other, &own);
  srcu_lockdep_callback_wait(&other, &own);
  srcu_lockdep_callback_exit(&other);
  srcu_lockdep_assert_held(&lock);
  if (srcu_lockdep_holds(&lock) || srcu_lockdep_holds_class(&own)) return "a lock is held";
  if (srcu_lockdep_describe(srcu_lockdep_self(), text, sizeof text) != 0 || *text) return "the thread is described";
  if (srcu_lockdep_describe(srcu_lockdep_self(), NULL, 0) != 0) return "the thread has a description's length";
  if (srcu_lockdep_usage_of(&own, 0) != 0) return "a class was used";
  srcu_lockdep_release(&other);
  srcu_lockdep_hardirqs_on();
  srcu_lockdep_forget(&lock);
  srcu_lockdep_for_each_edge(count_edge, &reports_to_left_out);
  {
    const struct srcu_lockdep_stats stats = srcu_lockdep_get_stats();
    text[0] = 'x';
    if (srcu_lockdep_format(NULL, text, sizeof text) != 0 || *text) return "a report has a text";
    if (stats.reports || stats.skipped || stats.unmatched || stats.lost || stats.classes || stats.edges) return "something was seen";
  }
  srcu_lockdep_stop();
  srcu_lockdep_reset();
  return reports_to_left_out ? "something was reported" : NULL;
}
