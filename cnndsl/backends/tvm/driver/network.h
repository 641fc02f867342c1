/* A compiled network: load it, run it, close it. Nothing else is needed but this header, the library beside it, and the
 * file of weights that the library was made with.
 *
 *     network *net = network_open("weights.safetensors", 0);      // 0: on all cores that this process may use
 *     if (net == NULL) { fprintf(stderr, "%s\n", network_error()); return 1; }
 *     const void *inputs[] = {picture};                           // net->arrays[0 .. inputs-1] say what they must be
 *     void *outputs[] = {scores};                                 // net->arrays[inputs .. inputs+outputs-1]
 *     if (network_run(net, inputs, outputs) != 0) { fprintf(stderr, "%s\n", network_error()); return 1; }
 *     network_close(net);
 *
 * Arrays are compact, the last axis fastest; their first axis is the batch that this library is made for. They may start
 * anywhere; those that start at a multiple of 64 bytes are used where they lie, others are copied. No output may overlap
 * another array of the same run.
 *
 * Any thread may call any function. One network runs once at a time: other calls of it wait. Several networks run at the
 * same time, and share the threads of one pool. After fork() the child can run what the parent has opened.
 */
#ifndef CNNDSL_NETWORK_H
#define CNNDSL_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define NETWORK_API __declspec(dllexport)
#else
#define NETWORK_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What an input or output must be. */
typedef struct network_array {
  const char *name;     /* as in the program, in UTF-8 */
  const char *type;     /* "float32", "int64", "uint8", "bool", ... */
  const int64_t *shape; /* the length of each axis, the batch first */
  int32_t axes;
  size_t bytes; /* of the whole array */
} network_array;

/* An open network. Its other members are its own business. */
typedef struct network {
  size_t inputs, outputs;
  const network_array *arrays; /* all inputs, then all outputs */
} network;

/* Opens the network with its file of weights, which must stay unchanged until network_close. `threads` is how many it
 * runs on; 0 is as many as this process may use, by affinity and control group. NULL where it cannot be opened. */
NETWORK_API network *network_open(const char *weights, int threads);

/* The same with the content of that file, which must stay where it is until network_close. */
NETWORK_API network *network_open_bytes(const void *weights, size_t bytes, int threads);

/* Computes the outputs, in the arrays that `outputs` points to, from the inputs. 0, or another number where it fails. */
NETWORK_API int network_run(network *net, const void *const *inputs, void *const *outputs);

/* Frees all that the network holds; NULL is allowed. */
NETWORK_API void network_close(network *net);

/* Why the last call of this thread failed: a text that stands until the next one that fails. */
NETWORK_API const char *network_error(void);

#ifdef __cplusplus
}
#endif

#endif
