// Every "yes" of the table in srcu.h that says who may call what from where. A wrong one hangs, and SIGALRM ends us, or
// is misuse in the eyes of a debug build.
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <srcu/srcu.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #x), _exit(1)))

DEFINE_STATIC_SRCU(domain);
static struct srcu_struct other;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// Calls what() from a callback and waits until it has returned.
struct errand {
  struct rcu_head head;  // first: the callback casts
  void (*what)(void);
  sem_t done;
};
static void on_errand(struct rcu_head *head) {
  struct errand *errand = (struct errand *)head;
  errand->what();
  sem_post(&errand->done);
}
static void in_callback(void (*what)(void)) {
  struct errand errand = {.what = what};
  sem_init(&errand.done, 0, 0);
  call_srcu(&domain, &errand.head, on_errand);
  while (sem_wait(&errand.done) != 0) continue;
  srcu_barrier(&domain);  // the errand's memory is the callback's until it has returned
}

static void (*what_to_do)(void);
static void on_signal(int signal) {
  (void)signal;
  what_to_do();
}
static void in_handler(void (*what)(void)) {
  what_to_do = what;
  raise(SIGUSR1);
}
static void in_reader(void (*what)(void)) {
  const int idx = srcu_read_lock(&domain);
  what();
  srcu_read_unlock(&domain, idx);
}
static void holding_lock(void (*what)(void)) {
  pthread_mutex_lock(&lock);
  what();
  pthread_mutex_unlock(&lock);
}
static void anywhere(void (*what)(void)) {
  in_reader(what);
  in_callback(what);
  holding_lock(what);
  in_handler(what);
}

static void read_twice(void) {
  const int outer = srcu_read_lock(&domain), inner = srcu_read_lock(&domain);
  srcu_read_unlock(&domain, outer);
  srcu_read_unlock(&domain, inner);
}

static struct {
  struct rcu_head head;
  int ran;
} posts[4];
static int posted;
static void on_post(struct rcu_head *head) {
  pthread_mutex_lock(&lock);  // held around call_srcu() in one of the places
  ++*(int *)(void *)(head + 1);
  pthread_mutex_unlock(&lock);
}
static void post(void) { call_srcu(&domain, &posts[posted++].head, on_post); }

static void look(void) {
  const unsigned long cookie = get_state_synchronize_srcu(&domain);
  CHECK(!poll_state_synchronize_srcu(&domain, cookie));
  CHECK(poll_state_synchronize_srcu(&domain, get_completed_synchronize_srcu()));
}

static void ask(void) {
  const unsigned long cookie = start_poll_synchronize_srcu(&domain);
  srcu_expedite_current(&domain);
  (void)poll_state_synchronize_srcu(&domain, cookie);
}

static void wait_for_grace_period(void) { synchronize_srcu(&domain); }

static struct srcu_struct mine;
static void make_mine(void) {
  CHECK(init_srcu_struct(&mine) == 0);
  CHECK(srcu_set_strategy(&mine, "direct") == 0);
  synchronize_srcu(&mine);
  CHECK(srcu_set_strategy(&mine, "defer_irqoff") < 0);
}
static void end_mine(void) { cleanup_srcu_struct(&mine); }

static void wait_for_callbacks(void) { srcu_barrier(&other); }

static void take_lock(struct rcu_head *head) {
  (void)head;
  pthread_mutex_lock(&lock);
  pthread_mutex_unlock(&lock);
}

// synchronize_srcu() holding a lock that a callback of the domain waits for at the time.
static void synchronize_under_callbacks_lock(void) {
  struct rcu_head head;
  pthread_mutex_lock(&lock);
  call_srcu(&domain, &head, take_lock);
  synchronize_srcu(&domain);
  synchronize_srcu(&domain);
  pthread_mutex_unlock(&lock);
  srcu_barrier(&domain);
}

static void fork_in_reader(void) {
  const int idx = srcu_read_lock(&domain);
  const unsigned long cookie = start_poll_synchronize_srcu(&domain);
  srcu_before_fork();
  const pid_t child = fork();
  if (child == 0) {
    srcu_after_fork_child();
    alarm(20);
  } else {
    srcu_after_fork_parent();
  }
  CHECK(!poll_state_synchronize_srcu(&domain, cookie));  // the section is open in both
  srcu_read_unlock(&domain, idx);
  synchronize_srcu(&domain);
  CHECK(poll_state_synchronize_srcu(&domain, cookie));
  if (child == 0) _exit(0);
  int status = 1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

int main(void) {
  alarm(20);
  sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_signal}, NULL);
  in_handler(read_twice);  // a domain's first use, and this thread's
  CHECK(srcu_start_helper() == 0 && init_srcu_struct(&other) == 0);

  anywhere(read_twice);
  anywhere(look);
  in_reader(ask), in_callback(ask), holding_lock(ask);
  anywhere(post);
  srcu_barrier(&domain);
  for (int i = 0; i < 4; ++i) CHECK(posts[i].ran == 1);

  in_callback(wait_for_grace_period), holding_lock(wait_for_grace_period), synchronize_under_callbacks_lock();
  in_reader(wait_for_callbacks), holding_lock(wait_for_callbacks);
  in_callback(make_mine), holding_lock(end_mine);
  holding_lock(make_mine), in_reader(end_mine);
  fork_in_reader();

  CHECK(srcu_open_sections(&domain) == 0);
  cleanup_srcu_struct(&other);
  cleanup_srcu_struct(&domain);
  return 0;
}
