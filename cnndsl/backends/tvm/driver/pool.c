#include "pool.h"

#include "system.h"

#if defined(__wasm__)

int pool_run(part *run, void *job, uint32_t tasks) {
  (void)run, (void)job, (void)tasks;
  return 0;
}

void pool_forget(void) {}

#else

/* How long a thread that has nothing to do keeps looking for it before it sleeps, in nanoseconds. The parts of a network
 * follow one another faster than a sleeping thread wakes up; a thread that looks for longer takes a core from others. */
enum { PATIENCE = 50000, LOOKS = 32 };

typedef struct {
  /* Which job it is, how many parts that has, and which is the next that nobody has taken: 32, 16 and 16 bits. Taking a
   * part and knowing of which job it is are therefore one step. */
  _Alignas(64) _Atomic uint64_t ticket;
  _Alignas(64) _Atomic uint32_t left; /* parts of the job that are not done */
  _Atomic uint32_t waiting;           /* whether the thread that has the job done sleeps until `left` is 0 */
  _Alignas(64) part *run;
  void *job;
  _Atomic uint32_t taken;   /* whether a thread is having a job done */
  _Atomic uint32_t workers; /* threads that were started */
  _Alignas(64) _Atomic uint32_t bell; /* changes with each job */
  _Atomic uint32_t asleep;            /* workers that wait for the bell */
} pool; /* what threads look at while they wait is not in a cache line with what others write */

_Static_assert(sizeof(pool) == 256, "the room below holds it");

#if defined(__ELF__) && defined(__GLIBC__)
/* One pool for all networks of a process, each of which is a library with its own copy of this code: the loader keeps one
 * symbol of this kind for each name, and never unloads the library that it is from. The number in the name is that of the
 * struct's layout and of this protocol. */
__asm__(".pushsection .bss.network_pool_1,\"aw\",%nobits\n"
        ".balign 64\n"
        ".globl network_pool_1\n"
        ".type network_pool_1, %gnu_unique_object\n"
        ".size network_pool_1, 256\n"
        "network_pool_1:\n"
        ".zero 256\n"
        ".popsection");
extern __attribute__((visibility("default"))) pool network_pool_1;
#else
static _Alignas(64) pool network_pool_1;
#endif

/* Takes a part that nobody has taken, and does it; 0 where there is none. */
static int take(pool *p) {
  uint64_t now = atomic_load(&p->ticket);
  for (;;) {
    uint32_t task = now & 0xffff, tasks = now >> 16 & 0xffff;
    if (task >= tasks) return 0;
    if (!atomic_compare_exchange_weak(&p->ticket, &now, now + 1)) continue;
    p->run(p->job, task, tasks);
    if (atomic_fetch_sub(&p->left, 1) == 1 && atomic_load(&p->waiting)) system_wake(&p->left, 1);
    return 1;
  }
}

static int is_open(pool *p) {
  uint64_t now = atomic_load(&p->ticket);
  return (now & 0xffff) < (now >> 16 & 0xffff);
}

static void work(void *given) {
  pool *p = given;
  for (;;) {
    if (take(p)) continue;
    uint64_t end = system_now() + PATIENCE;
    int found = 0;
    while (!found && system_now() < end)
      for (int i = 0; i < LOOKS && !(found = is_open(p)); ++i) system_pause();
    if (found) continue;
    uint32_t heard = atomic_load(&p->bell);
    atomic_fetch_add(&p->asleep, 1);
    /* Between the look and the sleep the bell may have rung, and then there is no sleep. */
    if (!is_open(p)) system_wait(&p->bell, heard);
    atomic_fetch_sub(&p->asleep, 1);
  }
}

int pool_run(part *run, void *job, uint32_t tasks) {
  pool *p = &network_pool_1;
  if (atomic_exchange(&p->taken, 1)) return 0;
  while (atomic_load(&p->workers) + 1 < tasks && system_start(work, p)) atomic_fetch_add(&p->workers, 1);
  p->run = run;
  p->job = job;
  atomic_store(&p->left, tasks);
  atomic_store(&p->ticket, ((atomic_load(&p->ticket) >> 32) + 1) << 32 | (uint64_t)tasks << 16);
  atomic_fetch_add(&p->bell, 1);
  if (atomic_load(&p->asleep)) system_wake(&p->bell, tasks - 1);
  while (take(p)) continue;
  uint64_t end = system_now() + PATIENCE;
  while (atomic_load(&p->left)) {
    for (int i = 0; i < LOOKS && atomic_load(&p->left); ++i) system_pause();
    if (system_now() < end) continue;
    /* A part was begun by a thread that the system has put aside. */
    uint32_t left;
    atomic_store(&p->waiting, 1);
    while ((left = atomic_load(&p->left))) system_wait(&p->left, left);
    atomic_store(&p->waiting, 0);
  }
  atomic_store(&p->taken, 0);
  return 1;
}

void pool_forget(void) {
  pool *p = &network_pool_1;
  atomic_store(&p->ticket, 0);
  atomic_store(&p->taken, 0);
  atomic_store(&p->workers, 0);
  atomic_store(&p->asleep, 0);
  atomic_store(&p->left, 0);
  atomic_store(&p->waiting, 0);
}

#endif
