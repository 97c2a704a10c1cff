// Threads that are cancelled while they wait, and processes that fork in the middle of it. Whatever goes wrong hangs, and
// SIGALRM ends us.
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <srcu/srcu.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #x), _exit(1)))

DEFINE_STATIC_SRCU(domain);

static void nap(long us) { nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}, NULL); }

// Returns when `word`, from srcu_describe(), is true of the domain.
static void until(const char *word) {
  char text[256] = "";
  while (!strstr(text, word)) {
    nap(1000);
    srcu_describe(&domain, text, sizeof text);
  }
}

static void *wait_for_readers(void *unused) {
  synchronize_srcu(&domain);
  return unused;
}

// A thread that is cancelled in synchronize_srcu() ends after it, and others can go on.
static void cancelled(void) {
  pthread_t waiter;
  const int idx = srcu_read_lock(&domain);
  pthread_create(&waiter, NULL, wait_for_readers, NULL);
  until("driven now");
  nap(50 * 1000);  // it sleeps between looks by now, most of the time
  pthread_cancel(waiter);
  nap(10 * 1000);
  srcu_read_unlock(&domain, idx);
  pthread_join(waiter, NULL);
  synchronize_srcu(&domain);
}

static void nothing(struct rcu_head *head) { (void)head; }
static void free_slowly(struct rcu_head *head) {
  nap(50);  // so that the helper is often at work
  free(head);
}

static void fork_and(void (*in_child)(void)) {
  srcu_before_fork();
  const pid_t child = fork();
  if (child == 0) {
    srcu_after_fork_child();
    alarm(20);
    in_child();
    _exit(0);
  }
  srcu_after_fork_parent();
  int status = 1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static atomic_int reading, done_reading;
static void *read_long(void *unused) {
  const int idx = srcu_read_lock(&domain);
  reading = 1;
  while (!done_reading) nap(1000);
  srcu_read_unlock(&domain, idx);
  return unused;
}
static void barrier(void) { srcu_barrier(&domain); }

// The grace period is driven by a thread that the child does not have, and no work is queued; the child's callback runs.
static void forked_while_driven(void) {
  static struct rcu_head head;
  pthread_t reader, waiter;
  CHECK(srcu_start_helper() == 0);
  pthread_create(&reader, NULL, read_long, NULL);
  while (!reading) nap(1000);
  pthread_create(&waiter, NULL, wait_for_readers, NULL);
  until("driven now");
  call_srcu(&domain, &head, nothing);
  fork_and(barrier);
  done_reading = 1;
  pthread_join(reader, NULL);
  pthread_join(waiter, NULL);
  srcu_barrier(&domain);
}

static atomic_int stop_posting;
static void post(void) {
  struct rcu_head *head = malloc(sizeof *head);
  CHECK(head);
  call_srcu(&domain, head, free_slowly);
}
static void *post_often(void *unused) {
  for (; !stop_posting; nap(300)) post();
  return unused;
}
static void use_all(void) {
  post();
  srcu_barrier(&domain);
  synchronize_srcu(&domain);
  srcu_before_fork();  // waits for a helper that is taken for busy
  srcu_after_fork_parent();
}
static void *fork_often(void *unused) {
  for (int i = 0; i < 50; ++i) fork_and(use_all);
  return unused;
}

// Several threads fork, while callbacks run all the time.
static void forked_together(void) {
  pthread_t poster, forkers[3];
  pthread_create(&poster, NULL, post_often, NULL);
  for (int i = 0; i < 3; ++i) pthread_create(&forkers[i], NULL, fork_often, NULL);
  for (int i = 0; i < 3; ++i) pthread_join(forkers[i], NULL);
  stop_posting = 1;
  pthread_join(poster, NULL);
  srcu_barrier(&domain);
}

int main(int argc, char **argv) {
  const char *which = argc == 2 ? argv[1] : "";
  alarm(60);
  if (strcmp(which, "cancelled") == 0) cancelled();
  else if (strcmp(which, "forked_while_driven") == 0) forked_while_driven();
  else if (strcmp(which, "forked_together") == 0) forked_together();
  else return 2;
  CHECK(srcu_open_sections(&domain) == 0);
  cleanup_srcu_struct(&domain);
  return 0;
}
