/* Loaded before the C library, it writes a line for each array that is asked for by `posix_memalign`, of which the driver of a package
 * makes all its memory, and for each file that is mapped: `array BYTES` or `file BYTES`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static void tell(const char *what, size_t bytes) {
  char line[64];
  int length = snprintf(line, sizeof line, "%s %zu\n", what, bytes);
  if (write(STDERR_FILENO, line, (size_t)length) != length) _exit(9);
}

int posix_memalign(void **start, size_t alignment, size_t bytes) {
  int (*real)(void **, size_t, size_t) = (int (*)(void **, size_t, size_t))dlsym(RTLD_NEXT, "posix_memalign");
  tell("array", bytes);
  return real(start, alignment, bytes);
}

void *mmap(void *start, size_t bytes, int protection, int flags, int file, off_t offset) {
  void *(*real)(void *, size_t, int, int, int, off_t) =
      (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
  if (file >= 0) tell("file", bytes);
  return real(start, bytes, protection, flags, file, offset);
}
