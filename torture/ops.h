/*
 * The contract between srcutorture and whatever it tortures: one table of functions.
 *
 * A scheme is offered in one of two ways:
 *   - as a plugin: a shared object that exports an object named `srcutorture_ops`, run with `--plugin lib.so`;
 *   - as a program: link the scheme with srcutorture::main and hand the table to srcutorture_main().
 *
 * Words used below.
 *   domain   what create() returned. Several may exist at a time; a grace period of one does not concern the others.
 *   element  what readers look at and updaters take away; it begins with a struct srcutorture_head.
 *   section  from read_lock() to its read_unlock(). An element that was reachable at some instant of a section
 *            must not be given up before that section ends.
 *   ctx      what thread_register() returned to the calling thread for this domain. It is null where the thread is
 *            not registered, so always null for a scheme without thread_register. Only its own thread, and signal
 *            handlers on that thread, pass it. Where thread_register exists, every thread that reads is registered;
 *            threads that only call synchronize, call, barrier and so on may not be.
 *
 * A thread that reads may be interrupted by a signal while a stall is suspected; its handler leaves the scheme alone.
 * Functions return normally: no exceptions, no longjmp. Members that may be null say so, and what is left out then.
 */
#ifndef SRCUTORTURE_OPS_H
#define SRCUTORTURE_OPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this table. It changes whenever the meaning or the order of anything here does. */
#define SRCUTORTURE_OPS_VERSION 1

/* Facts: what the scheme promises, beyond what its functions show. A promise that does not hold is a failure. */
/* A reader may sleep or block inside a section. */
#define SRCUTORTURE_SLEEPING_READER (UINT64_C(1) << 0)
/* A thread may open a section inside a section of the same domain; sections may also overlap (hand over hand). */
#define SRCUTORTURE_NESTS (UINT64_C(1) << 1)
/* A section may be closed by another thread than the one that opened it, with the opener's token. */
#define SRCUTORTURE_UNLOCK_ELSEWHERE (UINT64_C(1) << 2)
/* A signal handler on a registered thread may open and close sections, whatever it interrupted. */
#define SRCUTORTURE_READER_IN_SIGNAL (UINT64_C(1) << 3)
/* A signal handler on a registered thread may use call(), whatever it interrupted. */
#define SRCUTORTURE_CALL_IN_SIGNAL (UINT64_C(1) << 4)
/* call() may be used while holding a lock that callbacks and sections also take. */
#define SRCUTORTURE_CALL_UNDER_LOCK (UINT64_C(1) << 5)
/* call() may be used inside a section of the same domain. */
#define SRCUTORTURE_CALL_IN_READER (UINT64_C(1) << 6)
/* call(), read_unlock() and whatever else retires may run callbacks, on the calling thread. */
#define SRCUTORTURE_CALLBACKS_INLINE (UINT64_C(1) << 7)
/* One reader that stays in its section holds up every callback, not only those of the elements it holds. */
#define SRCUTORTURE_STALLED_READER_BLOCKS_ALL (UINT64_C(1) << 8)
/* gp_seq() never advances by more than 1 within a section; where it does, that is a failure. */
#define SRCUTORTURE_GP_SEQ_EXACT (UINT64_C(1) << 9)

/*
 * Storage for the scheme's own callback head; the first member of every element. It belongs to the scheme from call()
 * until it invokes the callback, and to the torture at all other times. What it holds at call() is unspecified.
 */
struct srcutorture_head {
  void *opaque[6];
};

/* A callback: gets the head that was posted. It does not block, and may post the same head again. */
typedef void (*srcutorture_cb)(struct srcutorture_head *);

struct srcutorture_ops {
  /* SRCUTORTURE_OPS_VERSION and sizeof(struct srcutorture_ops) as the scheme was compiled. */
  uint32_t version, size;
  /* The name in lists, files and reports: printable, no blanks. A built-in one is taken over by the plugin. */
  const char *name;
  /* SRCUTORTURE_* facts, or-ed. Unknown bits are refused. */
  uint64_t facts;

  /* Makes a domain. Called by a thread of the conductor before any torture thread or signal is started, so this is the
   * place for helper threads, which should block all signals. Where there is destroy and no thread_register, and a
   * scenario asks for several domains, called later too. Null: it could not be made, and the run is BROKEN. */
  void *(*create)(void);
  /* Ends a domain. No thread is registered or inside a section, nobody uses the domain any more; callbacks that are
   * still waiting are invoked before it returns. Null member: domains last as long as the program, and create() may
   * return null, as it has nothing to hand out. */
  void (*destroy)(void *dom);

  /* Opens a section; the token is handed to the read_unlock() that closes it. Called by readers, and by signal
   * handlers where READER_IN_SIGNAL. Must not wait for a grace period. */
  uint64_t (*read_lock)(void *dom, void *ctx);
  /* Closes the section that `token` stands for. ctx is that of the thread that calls. */
  void (*read_unlock)(void *dom, void *ctx, uint64_t token);

  /* At least one of the next two. */

  /* Returns after every section has ended that was open when it was called, and after everything that was done in
   * them is visible to the caller. Called by updaters outside sections, in threads that may block. May be null. */
  void (*synchronize)(void *dom, void *ctx);
  /* Invokes the callback on the head, once, after a grace period that begins no earlier than now. Called by updaters;
   * in sections, under locks and in signal handlers only as the facts allow. May be null. */
  void (*call)(void *dom, void *ctx, struct srcutorture_head *, srcutorture_cb);

  /* All below may be null. */

  /* Makes the calling thread known and returns its ctx; null: that failed, and the run is BROKEN. Called once by each
   * thread before it reads, with all signals blocked. Null member: threads need no registration. */
  void *(*thread_register)(void *dom);
  /* Takes back what thread_register() gave, on the same thread, outside sections, with all signals blocked. Stands or
   * lacks together with thread_register. */
  void (*thread_unregister)(void *dom, void *ctx);

  /* Pointer-based schemes: loads *slot, which holds an element or null, so that the element stays valid until the
   * section is closed; where several are open, the one that was opened last. Called inside a section. Null member: readers
   * load with consume order. */
  void *(*protect)(void *dom, void *ctx, void **slot);

  /* As synchronize(), but in a hurry. Null member: nobody hurries. */
  void (*expedited)(void *dom, void *ctx);
  /* Returns after each callback was invoked whose call() returned before it was called. Called outside sections and
   * callbacks. Null member: no barrier thread; what was posted is waited for by counting. */
  void (*barrier)(void *dom, void *ctx);

  /* A cookie for a grace period that begins no earlier than now; starts nothing. Called by anybody, also in sections.
   * Null member: nobody polls so. Needs poll_state. */
  uint64_t (*get_state)(void *dom);
  /* As get_state(), and sees to it that the grace period takes place, which may take as long as that: called by updaters
   * outside sections, in threads that may block. Null member as above. Needs poll_state. */
  uint64_t (*start_poll)(void *dom, void *ctx);
  /* Whether the grace period of that cookie has ended; once true, true for ever. True counts as a synchronize().
   * Called by anybody, also in sections. Needs get_state or start_poll. */
  bool (*poll_state)(void *dom, uint64_t);

  /* Schemes that wait for every registered thread to say that it is in no section. The torture calls quiescent_state
   * between sections, and offline/online around anything that may block. A thread is online after thread_register.
   * Null members: the scheme has no such thing. offline and online stand or lack together. */
  void (*quiescent_state)(void *dom, void *ctx);
  void (*offline)(void *dom, void *ctx);
  void (*online)(void *dom, void *ctx);

  /* Schemes whose callbacks run when somebody polls: called outside sections, now and then, by threads that post. */
  void (*advance)(void *dom, void *ctx);

  /* How many grace periods the domain has ended; it only grows. Called by anybody, also in sections, and must be
   * cheap: no lock, no fence. Null member: near misses are not counted. */
  uint64_t (*gp_seq)(void *dom);
  /* Bytes that wait to be given up. A scheme that has it claims that it keeps them bounded. Called once in a while. */
  uint64_t (*pending_bytes)(void *dom);
  /* Sections opened less sections closed. Called while no thread is between the two by chance. */
  long (*reader_balance)(void *dom);
  /* Writes what helps to understand a stall, in lines. Called when one is suspected: must not block. */
  void (*print_state)(void *dom, FILE *);
};

#if defined(__GNUC__)
#define SRCUTORTURE_EXPORT __attribute__((visibility("default")))
#else
#define SRCUTORTURE_EXPORT
#endif

/* What a plugin exports. */
extern SRCUTORTURE_EXPORT const struct srcutorture_ops srcutorture_ops;

/* The program srcutorture with one more flavour, for schemes that must be linked statically: argc and argv are those
 * of main(), the value is the exit status. Comes with the library srcutorture::main. */
int srcutorture_main(const struct srcutorture_ops *, int, char **);

#ifdef __cplusplus
}
#endif

#endif
