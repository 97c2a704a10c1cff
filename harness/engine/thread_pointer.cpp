#include "harness/engine/thread_pointer.hpp"

#include <cxxabi.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "harness/engine/fatal.hpp"
#include "harness/engine/real.hpp"

namespace engine {
namespace {

/// The program's part of each thread's block: its first image, and where it is from the thread pointer.
struct Image {
  const void* initial = nullptr;
  size_t initial_bytes = 0, bytes = 0;
  uintptr_t offset = 0;
};

int first_object(dl_phdr_info* info, size_t, void* to) {
  auto& image = *static_cast<Image*>(to);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_TLS) continue;
    image.initial = reinterpret_cast<const void*>(info->dlpi_addr + header.p_vaddr);
    image.initial_bytes = header.p_filesz;
    image.bytes = header.p_memsz;
    image.offset = reinterpret_cast<uintptr_t>(info->dlpi_tls_data) - thread_pointer();
  }
  return 1;  // the program itself comes first, and is all that is wanted
}

const Image& image() {
  static const Image found = [] {
    Image it;
    dl_iterate_phdr(first_object, &it);
    return it;
  }();
  return found;
}

/// Without libc: its pause() is the engine's, which would take this thread for a controlled one that asks, while another is on.
[[noreturn]] void sleep_for_ever() {
  for (;;) {
#if defined(__x86_64__)
    long result = SYS_pause;
    asm volatile("syscall" : "+a"(result) : : "rcx", "r11", "memory");
#else
    register long call asm("x8") = SYS_ppoll;
    register long descriptors asm("x0") = 0;
    register long count asm("x1") = 0;
    register long time asm("x2") = 0;
    register long mask asm("x3") = 0;
    asm volatile("svc 0" : "+r"(descriptors) : "r"(call), "r"(count), "r"(time), "r"(mask) : "memory");
#endif
  }
}

void* tell_and_sleep(void* where) {
  // Relaxed, as its loads: the number is all that is handed over, and what it points to was made by whoever started this thread.
  static_cast<std::atomic<uintptr_t>*>(where)->store(thread_pointer(), std::memory_order_relaxed);
  sleep_for_ever();
}

#if defined(__x86_64__)
bool may_set_fs() {
#ifndef HWCAP2_FSGSBASE
  constexpr unsigned long HWCAP2_FSGSBASE = 2;
#endif
  static const bool yes = (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) != 0;
  return yes;
}
#endif

}  // namespace

uintptr_t parked_thread(void* stack, size_t bytes) {
  image();  // found before anybody else's thread pointer is in use
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, stack, bytes);
  sigset_t all;
  sigfillset(&all);
  pthread_attr_setsigmask_np(&attributes, &all);  // handlers belong on the one thread that works
  std::atomic<uintptr_t> pointer{0};
  pthread_t thread;
  if (real().pthread_create(&thread, &attributes, tell_and_sleep, &pointer) != 0) fatal("no thread can be started");
  pthread_attr_destroy(&attributes);
  uintptr_t found = 0;
  while ((found = pointer.load(std::memory_order_relaxed)) == 0) usleep(10);
  return found;
}

void renew_thread_locals(uintptr_t thread_pointer) {
  const Image& it = image();
  auto* const block = reinterpret_cast<char*>(thread_pointer + it.offset);
  if (it.bytes == 0) return;
  std::memcpy(block, it.initial, it.initial_bytes);
  std::memset(block + it.initial_bytes, 0, it.bytes - it.initial_bytes);
}

void renew_libraries_thread_locals() {
  errno = 0;
  // The ABI: the exceptions that are being handled, and the number of those that are on their way.
  struct Exceptions {
    void* caught;
    unsigned uncaught;
  };
  *reinterpret_cast<Exceptions*>(__cxxabiv1::__cxa_get_globals()) = {};
}

#if defined(__x86_64__)
uintptr_t thread_pointer() {
  uintptr_t pointer;
  asm("movq %%fs:0, %0" : "=r"(pointer));  // the ABI: a thread's block begins with its own address
  return pointer;
}

void set_thread_pointer(uintptr_t to) {
  if (may_set_fs()) {
    asm volatile(".byte 0xf3, 0x48, 0x0f, 0xae, 0xd7" : : "D"(to) : "memory");  // wrfsbase %rdi
    return;
  }
  long result = SYS_arch_prctl;
  constexpr long kSetFs = 0x1002;
  asm volatile("syscall" : "+a"(result) : "D"(kSetFs), "S"(to) : "rcx", "r11", "memory");
}
#else
uintptr_t thread_pointer() { return reinterpret_cast<uintptr_t>(__builtin_thread_pointer()); }
void set_thread_pointer(uintptr_t to) { asm volatile("msr tpidr_el0, %0" : : "r"(to) : "memory"); }
#endif

}  // namespace engine
