#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "system.h"

#include <stdlib.h>

#if defined(_WIN32)

#define WIN32_LEAN_AND_MEAN
#include <malloc.h>
#include <windows.h>

void *system_allocate(size_t bytes) { return _aligned_malloc(bytes ? bytes : 1, 64); }

void system_free(void *start) { _aligned_free(start); }

const void *system_map(const char *path, size_t *bytes, const char **why) {
  wchar_t wide[4096];
  const void *start = NULL;
  LARGE_INTEGER size;
  *why = "it cannot be opened";
  if (!MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, 4096)) return NULL;
  HANDLE file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) return NULL;
  *why = "it cannot be read";
  if (GetFileSizeEx(file, &size) && size.QuadPart > 0) {
    HANDLE mapping = CreateFileMappingW(file, NULL, PAGE_READONLY, 0, 0, NULL);
    if (mapping) {
      start = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0);
      CloseHandle(mapping);
    }
    *bytes = (size_t)size.QuadPart;
  }
  CloseHandle(file);
  return start;
}

void system_unmap(const void *start, size_t bytes) {
  (void)bytes;
  UnmapViewOfFile(start);
}

int system_cores(void) {
  DWORD_PTR own, all;
  int count = 0;
  if (GetProcessAffinityMask(GetCurrentProcess(), &own, &all))
    for (; own; own &= own - 1) ++count;
  return count ? count : 1;
}

uint64_t system_now(void) {
  LARGE_INTEGER ticks, second;
  QueryPerformanceCounter(&ticks);
  QueryPerformanceFrequency(&second);
  return (uint64_t)((double)ticks.QuadPart * 1e9 / (double)second.QuadPart);
}

typedef struct {
  void (*work)(void *);
  void *argument;
} beginning;

static DWORD WINAPI begin(void *given) {
  beginning it = *(beginning *)given;
  free(given);
  it.work(it.argument);
  return 0;
}

int system_start(void (*work)(void *), void *argument) {
  HMODULE self;
  beginning *it = malloc(sizeof *it);
  if (!it) return 0;
  it->work = work;
  it->argument = argument;
  /* The thread runs code of this library, which therefore has to stay. */
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCWSTR)(void *)begin,
                     &self);
  HANDLE thread = CreateThread(NULL, 1 << 20, begin, it, 0, NULL);
  if (!thread) {
    free(it);
    return 0;
  }
  CloseHandle(thread);
  return 1;
}

void system_wait(_Atomic uint32_t *word, uint32_t value) {
  WaitOnAddress((volatile void *)word, &value, sizeof value, INFINITE);
}

void system_wake(_Atomic uint32_t *word, uint32_t threads) {
  if (threads == 1)
    WakeByAddressSingle((void *)word);
  else
    WakeByAddressAll((void *)word);
}

void system_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void)) {
  (void)before, (void)parent, (void)child;
}

#elif defined(__wasm__)

void *system_allocate(size_t bytes) { return aligned_alloc(64, bytes ? (bytes + 63) / 64 * 64 : 64); }

void system_free(void *start) { free(start); }

const void *system_map(const char *path, size_t *bytes, const char **why) {
  (void)path, (void)bytes;
  *why = "there are no files here; use network_open_bytes";
  return NULL;
}

void system_unmap(const void *start, size_t bytes) { (void)start, (void)bytes; }

#else

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#if defined(__GLIBC__) && defined(__x86_64__)
#define OLD(name) __asm__(".symver " #name "," #name "@GLIBC_2.2.5")
#elif defined(__GLIBC__) && defined(__aarch64__)
#define OLD(name) __asm__(".symver " #name "," #name "@GLIBC_2.17")
#else
#define OLD(name) _Static_assert(1, "")
#endif
/* The C library has these under the names of older versions, too: so the library runs where the C library is older than
 * the one that it was linked with. */
OLD(pthread_create);
OLD(pthread_attr_setstacksize);
OLD(pthread_sigmask);

void *system_allocate(size_t bytes) {
  void *start = NULL;
  return posix_memalign(&start, 64, bytes ? bytes : 1) ? NULL : start;
}

void system_free(void *start) { free(start); }

const void *system_map(const char *path, size_t *bytes, const char **why) {
  off_t end = 0;
  void *start = MAP_FAILED;
  /* A pipe that nobody writes is not waited for. */
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    *why = strerror(errno);
    return NULL;
  }
  *why = "it is no file, or an empty one";
  if ((end = lseek(file, 0, SEEK_END)) > 0) {
    *bytes = (size_t)end;
    start = mmap(NULL, *bytes, PROT_READ, MAP_PRIVATE, file, 0);
    if (start == MAP_FAILED) *why = strerror(errno);
  }
  close(file);
  return start == MAP_FAILED ? NULL : start;
}

void system_unmap(const void *start, size_t bytes) { munmap((void *)(uintptr_t)start, bytes); }

uint64_t system_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

typedef struct {
  void (*work)(void *);
  void *argument;
} beginning;

static void *begin(void *given) {
  beginning it = *(beginning *)given;
  free(given);
  it.work(it.argument);
  return NULL;
}

int system_start(void (*work)(void *), void *argument) {
  pthread_t thread;
  pthread_attr_t attributes;
  sigset_t all, before;
  beginning *it = malloc(sizeof *it);
  if (!it) return 0;
  it->work = work;
  it->argument = argument;
  /* Signals are for the threads of the program. */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 1 << 20);
  int failed = pthread_create(&thread, &attributes, begin, it);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed) free(it);
  return !failed;
}

void system_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void)) {
  pthread_atfork(before, parent, child);
}

#if defined(__linux__)

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>

void system_wait(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

void system_wake(_Atomic uint32_t *word, uint32_t threads) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, threads, NULL, NULL, 0);
}

/* The cores' worth of time that a control group's file allows, rounded up; 0 where it sets no limit. */
static int allowed(const char *folder, size_t length, int version) {
  char path[4200];
  double quota = 0, period = 0;
  int read = 0;
  snprintf(path, sizeof path, "%.*s/%s", (int)length, folder, version == 2 ? "cpu.max" : "cpu.cfs_quota_us");
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  read = fscanf(file, "%lf", &quota);
  if (version == 2 && read == 1) read = fscanf(file, "%lf", &period);
  fclose(file);
  if (version == 1 && read == 1) {
    snprintf(path, sizeof path, "%.*s/cpu.cfs_period_us", (int)length, folder);
    if (!(file = fopen(path, "re"))) return 0;
    read = fscanf(file, "%lf", &period);
    fclose(file);
  }
  if (read != 1 || quota <= 0 || period <= 0) return 0;
  int whole = (int)(quota / period);
  return whole + (whole * period < quota);
}

/* The least that the control groups of this process allow, its own and those around it; 0 without a limit. */
static int allowed_to_all(void) {
  char line[2048], folder[4096];
  int least = 0;
  FILE *file = fopen("/proc/self/cgroup", "re");
  if (!file) return 0;
  while (fgets(line, sizeof line, file)) {
    /* "0::/path", or in the first version "4:cpu,cpuacct:/path" */
    char *kind = strchr(line, ':'), *path = kind ? strchr(kind + 1, ':') : NULL;
    if (!path) continue;
    *path++ = 0;
    path[strcspn(path, "\n")] = 0;
    int version = kind[1] == 0 ? 2 : 1;
    if (version == 1 && strcmp(kind + 1, "cpu") && strncmp(kind + 1, "cpu,", 4) && !strstr(kind + 1, ",cpu")) continue;
    const char *root = version == 2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
    size_t base = strlen(root), length = (size_t)snprintf(folder, sizeof folder, "%s%s", root, path);
    for (;;) {
      while (length > base && folder[length - 1] == '/') --length;
      int found = allowed(folder, length, version);
      if (found && (!least || found < least)) least = found;
      if (length <= base) break;
      while (length > base && folder[length - 1] != '/') --length;
    }
  }
  fclose(file);
  return least;
}

int system_cores(void) {
  int count = 0, share = allowed_to_all();
  /* A mask for more processors than the usual one has places for. */
  for (int most = 1024; most <= 1 << 16 && !count; most *= 8) {
    cpu_set_t *mask = CPU_ALLOC((size_t)most);
    if (!mask) break;
    if (sched_getaffinity(0, CPU_ALLOC_SIZE((size_t)most), mask) == 0)
      count = CPU_COUNT_S(CPU_ALLOC_SIZE((size_t)most), mask);
    CPU_FREE(mask);
  }
  if (count < 1) count = 1;
  return share && share < count ? share : count;
}

#else

/* Where the system has no words to wait for: one condition for all, which is checked again by who wakes up. */
static pthread_mutex_t bed = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t dawn = PTHREAD_COND_INITIALIZER;

void system_wait(_Atomic uint32_t *word, uint32_t value) {
  pthread_mutex_lock(&bed);
  while (atomic_load(word) == value) pthread_cond_wait(&dawn, &bed);
  pthread_mutex_unlock(&bed);
}

void system_wake(_Atomic uint32_t *word, uint32_t threads) {
  (void)word, (void)threads;
  pthread_mutex_lock(&bed);
  pthread_cond_broadcast(&dawn);
  pthread_mutex_unlock(&bed);
}

int system_cores(void) {
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int)count : 1;
}

#endif
#endif
