/* What differs between systems: memory, files, time, threads that wait for each other. */
#ifndef CNNDSL_SYSTEM_H
#define CNNDSL_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

/* Memory that starts at a multiple of 64 bytes, not filled; NULL where there is none. */
void *system_allocate(size_t bytes);
void system_free(void *start);

/* A file in memory, to read. `map` returns NULL and sets `why` where it cannot be read. */
const void *system_map(const char *path, size_t *bytes, const char **why);
void system_unmap(const void *start, size_t bytes);

#if !defined(__wasm__)

#include <stdatomic.h>

/* How many threads of this process can run at the same time: what it is bound to, and its control group's share. */
int system_cores(void);

/* A time that only grows, in nanoseconds. */
uint64_t system_now(void);

/* Starts a thread that runs `work(argument)` and is never waited for; 0 where there is none. */
int system_start(void (*work)(void *), void *argument);

/* Sleeps while the word holds `value`, until a thread wakes it; it may also wake up for nothing. */
void system_wait(_Atomic uint32_t *word, uint32_t value);
void system_wake(_Atomic uint32_t *word, uint32_t threads);

/* Calls `before` in a process that is about to fork, and after that `parent` and `child` in the two. */
void system_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void));

/* Tells the processor that this is a loop that waits. */
static inline void system_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield");
#endif
}

#endif
#endif
