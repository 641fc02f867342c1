/* What the driver knows of a network: tables that are written for it, and how its kernels are called. */
#ifndef CNNDSL_PLAN_H
#define CNNDSL_PLAN_H

#include "network.h"

/* Where compiled code reads whole vectors, arrays start at a multiple of this many bytes. */
enum { LINE = 64 };

/* A tensor as kernels take it: DLPack's DLTensor. */
typedef struct {
  void *data;
  int32_t device_type, device_id;
  int32_t axes;
  uint8_t code, bits;
  uint16_t lanes;
  const int64_t *shape;
  const int64_t *strides;
  uint64_t byte_offset;
} tensor;

/* An argument as kernels take it: TVM's TVMFFIAny. */
typedef struct {
  int32_t kind;
  uint32_t zero;
  union {
    int64_t whole;
    double real;
    void *pointer;
  } is;
} value;

/* The kind of an argument that is a tensor, and the device that is the processor. */
enum { TENSOR_ARGUMENT = 7, ON_PROCESSOR = 1 };

typedef int kernel(void *handle, const value *arguments, int32_t count, value *result);

/* The body of a parallel loop: it does part `task` of `env->tasks`. */
typedef struct {
  void *handle;
  int32_t tasks;
} environment;
typedef int body(int task, environment *env, void *data);

typedef int launch_function(body *lambda, void *data, int tasks);
typedef void *allocate_function(int device_type, int device_id, uint64_t bytes, int code, int bits);
typedef int release_function(int device_type, int device_id, void *start);

enum { IN_CONSTANT, IN_INPUT, IN_LIBRARY, IN_OUTPUT, IN_ROOM };

/* A tensor: in which array it lies, be it given, wanted or the library's own, or in the room for what is computed, and how
 * many bytes from its start. */
typedef struct {
  uint64_t offset;
  const int64_t *shape;
  uint16_t array;
  uint8_t place, axes, code, bits;
} planned_tensor;

/* A call of a kernel, whose arguments are the tensors `arguments[first .. first+count-1]`. */
typedef struct {
  kernel *function;
  uint32_t first;
  uint32_t count;
} planned_call;

/* An output that is not computed in its place: what is copied there at the end. */
typedef struct {
  uint16_t tensor, output;
} planned_copy;

typedef struct {
  size_t inputs, outputs, constants, tensors, calls, arguments, copies, room;
  const network_array *arrays; /* inputs, outputs, constants; a constant's name is its key in the file of weights */
  const uint64_t *const *held; /* arrays of the library's own */
  const planned_tensor *tensor;
  const planned_call *call;
  const uint16_t *argument;
  const planned_copy *copy;
  /* Variables through which kernels call the driver; NULL where none of them does. */
  launch_function **launch;
  allocate_function **allocate;
  release_function **release;
} plan;

extern const plan network_plan;

/* Notes why a call failed, for network_error. */
void fail(const char *format, ...);

#endif
