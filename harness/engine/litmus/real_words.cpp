// The system's part of the words is the engine's own, as in tests of users.
#include "harness/engine/litmus/real_words.hpp"

#include <pthread.h>

#include <cstdlib>
#include <thread>

#include "harness/engine/env.hpp"

namespace engine::litmus::real {
namespace {

pthread_mutex_t mutexes[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
alignas(8) pthread_once_t controls[2] = {PTHREAD_ONCE_INIT, PTHREAD_ONCE_INIT};  // in one cell of the memory

}  // namespace

void membarrier() { env::membarrier(); }
void lock(int which) { pthread_mutex_lock(&mutexes[which]); }
int trylock(int which) { return pthread_mutex_trylock(&mutexes[which]) == 0; }
void unlock(int which) { pthread_mutex_unlock(&mutexes[which]); }
void once(int which, void (*body)()) { pthread_once(&controls[which], body); }
void in_child(void (*body)()) { std::thread(body).join(); }
uintptr_t allocate() { return reinterpret_cast<uintptr_t>(std::calloc(2, sizeof(int))); }

}  // namespace engine::litmus::real
