// Plugins in a list, run by threads that may sleep in them for as long as they like; and unloaded meanwhile. Who unloads
// does not wait: a callback frees the plugin when nobody can be in it any more. Another list has a domain of its own, and
// is not held up by who sleeps here.
//
// cc plugin_list.c $(pkg-config --cflags --libs srcu) && ./a.out
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <semaphore.h>
#include <srcu/srcu.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "line %d: %s does not hold\n", __LINE__, #x), exit(EXIT_FAILURE)))

enum { kThreads = 3 };

struct plugin {
  struct rcu_head rcu;  // first: the callback casts
  struct plugin *next;
  void (*run)(void);
  atomic_int inside, runs;
};

DEFINE_STATIC_SRCU(plugins_srcu);
DEFINE_STATIC_SRCU(others_srcu);
static struct plugin *plugins;
static pthread_mutex_t plugins_mutex = PTHREAD_MUTEX_INITIALIZER;  // between those who load and unload
static atomic_int unloaded;

static void load(struct plugin *plugin) {
  pthread_mutex_lock(&plugins_mutex);
  plugin->next = plugins;
  rcu_assign_pointer(plugins, plugin);
  pthread_mutex_unlock(&plugins_mutex);
}

static void free_plugin(struct rcu_head *head) {
  struct plugin *plugin = (struct plugin *)head;
  CHECK(plugin->inside == 0);
  free(plugin);
  ++unloaded;
}

static void unload(struct plugin *plugin) {
  pthread_mutex_lock(&plugins_mutex);
  struct plugin **link = &plugins;
  while (*link != plugin) link = &(*link)->next;
  rcu_assign_pointer(*link, plugin->next);  // plugin->next stays as it is: who is in the plugin goes on from there
  pthread_mutex_unlock(&plugins_mutex);
  call_srcu(&plugins_srcu, &plugin->rcu, free_plugin);
}

static void *run_all(void *unused) {
  const int idx = srcu_read_lock(&plugins_srcu);
  struct plugin *plugin = srcu_dereference(plugins, &plugins_srcu);
  while (plugin) {
    ++plugin->inside;
    plugin->run();
    ++plugin->runs;
    --plugin->inside;
    plugin = srcu_dereference(plugin->next, &plugins_srcu);
  }
  srcu_read_unlock(&plugins_srcu, idx);
  return unused;
}

static sem_t asked, answered;
static void ask_and_sleep(void) {
  sem_post(&asked);
  sem_wait(&answered);
}
static void nothing(void) {}

static struct plugin *make(void (*run)(void)) {
  struct plugin *made = calloc(1, sizeof *made);
  CHECK(made);
  made->run = run;
  return made;
}

int main(void) {
  struct plugin *quick = make(nothing), *slow = make(ask_and_sleep);
  pthread_t threads[kThreads];
  sem_init(&asked, 0, 0);
  sem_init(&answered, 0, 0);
  load(quick);
  load(slow);
  for (int i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, run_all, NULL);
  for (int i = 0; i < kThreads; ++i) sem_wait(&asked);  // all of them sleep in the slow one

  const unsigned long cookie = start_poll_synchronize_srcu(&plugins_srcu);
  unload(slow);
  synchronize_srcu(&others_srcu);  // returns: nobody reads in that domain
  CHECK(slow->inside == kThreads && unloaded == 0);
  CHECK(!poll_state_synchronize_srcu(&plugins_srcu, cookie));

  for (int i = 0; i < kThreads; ++i) sem_post(&answered);
  srcu_barrier(&plugins_srcu);  // unloading is done
  CHECK(unloaded == 1);
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  CHECK(quick->runs == kThreads);  // all went on from the plugin that was unloaded under them

  run_all(NULL);  // the slow one would sleep for ever
  CHECK(quick->runs == kThreads + 1);
  unload(quick);
  srcu_barrier(&plugins_srcu);
  cleanup_srcu_struct(&plugins_srcu);
  cleanup_srcu_struct(&others_srcu);
  printf("%d threads slept in a plugin while it was unloaded; it was freed after them\n", kThreads);
  return unloaded == 2 ? EXIT_SUCCESS : EXIT_FAILURE;
}
