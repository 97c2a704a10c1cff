// A signal handler that reads shared data, replaces it and retires the old version, while the code that it interrupts
// does the same in the same domain. Neither blocks signals. The handler allocates nothing: its records come from an array,
// and callbacks put them back.
//
// cc signal_handler.c $(pkg-config --cflags --libs srcu) && ./a.out
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <srcu/srcu.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { kRecords = 64, kWords = 64, kSignals = 3000, kPeriodNs = 200 * 1000 };

struct record {
  struct rcu_head rcu;  // first: the callback casts
  atomic_bool taken;
  long words[kWords];  // all the same
};

DEFINE_STATIC_SRCU(records_srcu);
static struct record *newest;
static struct record records[kRecords];
static atomic_long signals, replaced, posted, put_back, wrong;

static void fill(struct record *record, long number) {
  for (int i = 0; i < kWords; ++i) record->words[i] = number;
}

static void put_back_record(struct rcu_head *head) {
  struct record *record = (struct record *)head;
  fill(record, -1);  // a reader that still looked at it would find it wrong
  ++put_back;
  atomic_store_explicit(&record->taken, false, memory_order_release);
}

static struct record *take_record(void) {
  for (int i = 0; i < kRecords; ++i)
    if (!atomic_exchange_explicit(&records[i].taken, true, memory_order_acquire)) return &records[i];
  return NULL;  // all wait for their grace period
}

static void read_newest(void) {
  const int idx = srcu_read_lock(&records_srcu);
  const struct record *found = srcu_dereference(newest, &records_srcu);
  for (int i = 0; i < kWords; ++i)
    if (found->words[i] < 0 || found->words[i] != found->words[0]) ++wrong;
  srcu_read_unlock(&records_srcu, idx);
}

// The exchange makes each old record the business of one caller, whoever interrupts whom.
static void replace(long number) {
  struct record *fresh = take_record();
  if (!fresh) return;
  fill(fresh, number);
  struct record *old = __atomic_exchange_n(&newest, fresh, __ATOMIC_ACQ_REL);
  ++replaced;
  ++posted;
  call_srcu(&records_srcu, &old->rcu, put_back_record);
}

static void on_timer(int signal) {
  (void)signal;
  read_newest();
  replace(++signals);
}

int main(void) {
  // The first call_srcu() may be the handler's, and it must not start a thread there.
  if (srcu_start_helper() != 0) return EXIT_FAILURE;
  newest = take_record();
  const struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  timer_t timer;
  const struct itimerspec often = {.it_interval.tv_nsec = kPeriodNs, .it_value.tv_nsec = kPeriodNs};
  if (timer_create(CLOCK_MONOTONIC, NULL, &timer) != 0 || timer_settime(timer, 0, &often, NULL) != 0) return EXIT_FAILURE;

  long rounds = 0;
  for (; signals < kSignals; ++rounds) {
    read_newest();
    replace(rounds);
    if (rounds % 64 == 0) synchronize_srcu(&records_srcu);
  }
  timer_delete(timer);
  srcu_barrier(&records_srcu);  // no handler posts any more
  cleanup_srcu_struct(&records_srcu);

  printf("%ld signals in %ld rounds, %ld records replaced, %ld put back, %ld reads wrong\n", signals, rounds, replaced,
         put_back, wrong);
  return wrong == 0 && put_back == posted && replaced > 100 ? EXIT_SUCCESS : EXIT_FAILURE;
}
