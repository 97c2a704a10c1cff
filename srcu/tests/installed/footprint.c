// What srcu.h says that a domain costs in memory.
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <srcu/srcu.h>
#include <stdio.h>

enum { kDomains = 1000, kThreads = 64, kPage = 4096 };

static struct srcu_struct domains[kDomains];
static pthread_barrier_t all_have_read;

// Bytes, from the line that begins with `key` and counts kB.
static double bytes(const char *file, const char *key) {
  char line[256], format[64];
  long kilobytes = -1;
  FILE *in = fopen(file, "r");
  snprintf(format, sizeof format, "%s: %%ld kB", key);
  while (in && fgets(line, sizeof line, in) && sscanf(line, format, &kilobytes) != 1) continue;
  if (in) fclose(in);
  return 1024.0 * (double)kilobytes;
}
static double resident(void) { return bytes("/proc/self/smaps_rollup", "Rss"); }
static double page_tables(void) { return bytes("/proc/self/status", "VmPTE"); }
static double address_space(void) { return bytes("/proc/self/status", "VmSize"); }

static int failures;
static void expect(const char *what, double found, double least, double most) {
  const int right = least <= found && found <= most;
  failures += !right;
  printf("%-40s %10.0f bytes, %.0f to %.0f expected%s\n", what, found, least, most, right ? "" : "   WRONG");
}

static void *read_everywhere(void *unused) {
  for (int i = 0; i < kDomains; ++i) srcu_read_unlock(&domains[i], srcu_read_lock(&domains[i]));
  pthread_barrier_wait(&all_have_read);  // so that each thread has a slot of its own
  return unused;
}

int main(void) {
  expect("struct srcu_struct", sizeof(struct srcu_struct), 64, 64);
  expect("struct rcu_head", sizeof(struct rcu_head), 16, 16);

  if (srcu_start_helper() != 0) return 1;
  resident();  // stdio's buffers are there from now on
  double rss = resident(), tables = page_tables(), space = address_space();
  for (int i = 0; i < kDomains; ++i)
    if (init_srcu_struct(&domains[i]) != 0) return 1;
  for (int i = 0; i < kDomains; ++i) {
    srcu_read_unlock(&domains[i], srcu_read_lock(&domains[i]));
    synchronize_srcu(&domains[i]);
  }
  expect("a domain with one reader, resident", (resident() - rss) / kDomains, kPage, kPage + 64 + 100);
  expect("a domain's page tables", (page_tables() - tables) / kDomains, 900, 1200);
  expect("a domain's address space", (address_space() - space) / kDomains, 516 * 1024, 516 * 1024);

  pthread_t threads[kThreads];
  pthread_barrier_init(&all_have_read, NULL, kThreads);
  rss = resident();
  for (int i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, read_everywhere, NULL);
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  expect("64 threads' slots in a domain", (resident() - rss) / kDomains, 64 * kThreads, 64 * kThreads + 1000);

  rss = resident();
  for (int i = 0; i < kDomains; ++i) cleanup_srcu_struct(&domains[i]);
  expect("given back by cleanup, and more", (rss - resident()) / kDomains, 2 * kPage - 100, 2 * kPage + 1000);
  return failures != 0;
}
