/* One kernel on any machine: reads its arrays from a file, calls it, writes the last array to another.
 *
 * Stands in for TVM's runtime: tasks run one after the other. The layouts are DLPack's and TVM's FFI's.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct { int32_t type, id; } Device;
typedef struct { uint8_t code, bits; uint16_t lanes; } DataType;
typedef struct { void *data; Device device; int32_t ndim; DataType dtype; int64_t *shape, *strides; uint64_t offset; } Tensor;
typedef struct { int32_t type; uint32_t padding; void *value; } Any;
typedef struct { void *sync; int32_t tasks; } Group;
typedef int Task(int task, Group *group, void *data);
enum { CPU = 1, TENSOR = 7, MOST = 16, TASKS = 3 };

int __tvm_ffi_main(void *self, Any *arguments, int32_t count, Any *result);

static int launch(Task *task, void *data, int tasks) {
  Group group = {0, tasks ? tasks : TASKS};
  for (int i = 0; i < group.tasks; i++)
    if (task(i, &group, data)) return -1;
  return 0;
}

static void *allocate(int type, int id, uint64_t bytes, int code, int bits) {
  (void)type, (void)id, (void)code, (void)bits;
  return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static int release(int type, int id, void *memory) { return (void)type, (void)id, free(memory), 0; }

void TVMFFIErrorSetRaisedFromCStrParts(const char *kind, const char **parts, int32_t count) {
  fprintf(stderr, "%s: ", kind);
  for (int i = 0; i < count; i++) fputs(parts[i], stderr);
}

/* Through these TVM's code calls its runtime; an object has those that it needs. */
extern Task *__TVMBackendParallelLaunch __attribute__((weak));
extern Task *__TVMBackendAllocWorkspace __attribute__((weak));
extern Task *__TVMBackendFreeWorkspace __attribute__((weak));

static void take(FILE *file, void *memory, size_t bytes) {
  if (fread(memory, 1, bytes, file) != bytes) exit(2);
}

int main(int count, char **words) {
  static Tensor tensors[MOST];
  static Any arguments[MOST], result;
  static int64_t sizes[MOST][2][8];
  if (count != 3) return 2;
  FILE *file = fopen(words[1], "rb");
  int32_t tensors_given, about[3];
  size_t bytes = 0;
  if (!file) return 2;
  take(file, &tensors_given, sizeof tensors_given);
  if (tensors_given > MOST) return 2;
  for (int i = 0; i < tensors_given; i++) {
    take(file, about, sizeof about);
    take(file, sizes[i][0], 8 * about[2]);
    bytes = about[1] / 8;
    for (int axis = about[2] - 1, step = 1; axis >= 0; axis--) {
      sizes[i][1][axis] = step;
      step *= sizes[i][0][axis];
      bytes *= sizes[i][0][axis];
    }
    DataType dtype = {about[0], about[1], 1};
    Tensor one = {aligned_alloc(64, (bytes + 63) / 64 * 64), {CPU, 0}, about[2], dtype, sizes[i][0], sizes[i][1], 0};
    take(file, one.data, bytes);
    tensors[i] = one;
    arguments[i].type = TENSOR;
    arguments[i].value = &tensors[i];
  }
  fclose(file);
  if (&__TVMBackendParallelLaunch) __TVMBackendParallelLaunch = (Task *)launch;
  if (&__TVMBackendAllocWorkspace) __TVMBackendAllocWorkspace = (Task *)allocate;
  if (&__TVMBackendFreeWorkspace) __TVMBackendFreeWorkspace = (Task *)release;
  if (__tvm_ffi_main(0, arguments, tensors_given, &result)) return 1;
  file = fopen(words[2], "wb");
  if (!file || fwrite(tensors[tensors_given - 1].data, 1, bytes, file) != bytes) return 2;
  return fclose(file) != 0;
}
