#include "network.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plan.h"
#include "pool.h"
#include "system.h"
#include "weights.h"

#if defined(__wasm__)
#define OF_THREAD
#else
#define OF_THREAD _Thread_local
#endif

enum { MOST_THREADS = 1024, PIECES = 16 };

/* Memory that kernels ask for while they run, kept for the next time. */
typedef struct {
  struct {
    void *start;
    size_t bytes;
    int used;
  } piece[PIECES];
} scratch;

typedef struct opened {
  network face;
  struct opened *next, **link; /* in the list of open networks */
#if !defined(__wasm__)
  _Atomic uint32_t lock; /* 0 free, 1 taken, 2 taken and waited for */
#endif
  int threads;
  const void *file; /* the file of weights, where this network has mapped it */
  size_t file_bytes;
  const unsigned char **constants;
  void **copies; /* of constants that do not lie where vectors can be read; mostly NULL */
  void **settled; /* room for inputs and outputs that do not; NULL until it is needed */
  char *room;
  tensor *tensors;
  value *arguments;
  scratch *scratches; /* one for the thread that calls, and one for each part of a parallel loop */
} opened;

/* ---- what failed */

static OF_THREAD char reason[1024];

void fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(reason, sizeof reason, format, values);
  va_end(values);
}

const char *network_error(void) { return reason; }

/* Kernels tell their errors so: a kind, and a text in parts. */
void TVMFFIErrorSetRaisedFromCStrParts(const char *kind, const char **parts, int32_t count);

void TVMFFIErrorSetRaisedFromCStrParts(const char *kind, const char **parts, int32_t count) {
  fail("%s: ", kind);
  for (int32_t i = 0; i < count; ++i) {
    size_t length = strlen(reason);
    if (parts[i]) snprintf(reason + length, sizeof reason - length, "%s", parts[i]);
  }
}

/* ---- one run at a time, and forks */

static void fill_slots(void);

#if defined(__wasm__)

static void take_turn(opened *net) { (void)net; }
static void end_turn(opened *net) { (void)net; }
static void register_network(opened *net) {
  (void)net;
  fill_slots();
}
static void forget_network(opened *net) { (void)net; }

#else

static void lock(_Atomic uint32_t *word) {
  uint32_t found = 0;
  if (atomic_compare_exchange_strong(word, &found, 1)) return;
  while (atomic_exchange(word, 2)) system_wait(word, 2);
}

static void unlock(_Atomic uint32_t *word) {
  if (atomic_exchange(word, 0) == 2) system_wake(word, 1);
}

static void take_turn(opened *net) { lock(&net->lock); }
static void end_turn(opened *net) { unlock(&net->lock); }

static opened *all;
static _Atomic uint32_t all_lock;
static int begun;

static void before_fork(void) { lock(&all_lock); }
static void after_fork(void) { unlock(&all_lock); }

/* A run of another thread, and the workers, have stayed in the parent. */
static void in_child(void) {
  pool_forget();
  for (opened *net = all; net; net = net->next) atomic_store(&net->lock, 0);
  atomic_store(&all_lock, 0);
}

static void register_network(opened *net) {
  lock(&all_lock);
  if (!begun) {
    fill_slots();
    system_at_fork(before_fork, after_fork, in_child);
  }
  begun = 1;
  net->next = all;
  net->link = &all;
  if (all) all->link = &net->next;
  all = net;
  unlock(&all_lock);
}

static void forget_network(opened *net) {
  lock(&all_lock);
  if (net->link) *net->link = net->next;
  if (net->next) net->next->link = net->link;
  unlock(&all_lock);
}

#endif

/* ---- what kernels call */

/* Of the network that this thread runs: its scratch memory, and whether this is a part of a parallel loop already. */
static OF_THREAD struct {
  opened *net;
  scratch *own;
  int inside;
} running;

typedef struct {
  opened *net;
  body *lambda;
  void *data;
  int failed; /* any part may set it, all to the same number */
} loop;

static void run_part(void *given, uint32_t task, uint32_t tasks) {
  loop *it = given;
  environment env = {NULL, (int32_t)tasks};
  opened *net = running.net;
  scratch *own = running.own;
  running.net = it->net;
  running.own = &it->net->scratches[1 + task];
  running.inside = 1;
  if (it->lambda((int)task, &env, it->data)) __atomic_store_n(&it->failed, 1, __ATOMIC_RELAXED);
  running.net = net;
  running.own = own;
  running.inside = 0;
}

static int launch(body *lambda, void *data, int asked) {
  opened *net = running.net;
  uint32_t tasks = (uint32_t)(asked > 0 ? asked : net->threads);
  loop it = {net, lambda, data, 0};
  if (running.inside || tasks > (uint32_t)net->threads) {
    environment env = {NULL, asked > 0 ? asked : 1};
    for (int task = 0; task < env.tasks; ++task)
      if (lambda(task, &env, data)) return -1;
    return 0;
  }
  if (tasks == 1 || !pool_run(run_part, &it, tasks)) {
    /* How many parts there are changes no result. */
    tasks = asked > 0 ? tasks : 1;
    for (uint32_t task = 0; task < tasks; ++task) run_part(&it, task, tasks);
  }
  return it.failed ? -1 : 0;
}

static void *allocate(int device_type, int device_id, uint64_t bytes, int code, int bits) {
  scratch *own = running.own;
  int best = -1;
  (void)device_type, (void)device_id, (void)code, (void)bits;
  for (int i = 0; i < PIECES; ++i) {
    if (own->piece[i].used) continue;
    /* The smallest that is large enough, else the largest. */
    size_t size = own->piece[i].bytes, found = best < 0 ? 0 : own->piece[best].bytes;
    if (best < 0 || (size >= bytes ? found < bytes || size < found : found < bytes && size > found)) best = i;
  }
  if (best < 0) return NULL;
  if (own->piece[best].bytes < bytes) {
    system_free(own->piece[best].start);
    own->piece[best].start = system_allocate((size_t)bytes);
    own->piece[best].bytes = own->piece[best].start ? (size_t)bytes : 0;
    if (!own->piece[best].start) return NULL;
  }
  own->piece[best].used = 1;
  return own->piece[best].start;
}

static int release(int device_type, int device_id, void *start) {
  scratch *own = running.own;
  (void)device_type, (void)device_id;
  for (int i = 0; i < PIECES; ++i)
    if (own->piece[i].used && own->piece[i].start == start) own->piece[i].used = 0;
  return 0;
}

/* Tells the kernels of this library what they call; only once, as others may be running. */
static void fill_slots(void) {
  const plan *p = &network_plan;
  if (p->launch) *p->launch = launch;
  if (p->allocate) *p->allocate = allocate;
  if (p->release) *p->release = release;
}

#if defined(__wasm__)
/* Here code calls functions by name, and tells of each of its own as it is loaded. */
int TVMBackendParallelLaunch(body *lambda, void *data, int tasks);
void *TVMBackendAllocWorkspace(int device_type, int device_id, uint64_t bytes, int code, int bits);
int TVMBackendFreeWorkspace(int device_type, int device_id, void *start);
int TVMFFIEnvModRegisterSystemLibSymbol(const char *name, void *symbol);

int TVMBackendParallelLaunch(body *lambda, void *data, int tasks) { return launch(lambda, data, tasks); }

void *TVMBackendAllocWorkspace(int device_type, int device_id, uint64_t bytes, int code, int bits) {
  return allocate(device_type, device_id, bytes, code, bits);
}

int TVMBackendFreeWorkspace(int device_type, int device_id, void *start) {
  return release(device_type, device_id, start);
}

int TVMFFIEnvModRegisterSystemLibSymbol(const char *name, void *symbol) { return (void)name, (void)symbol, 0; }
#endif

/* ---- opening */

static void *zeroed(size_t count, size_t size) {
  void *start = count > SIZE_MAX / 2 / (size ? size : 1) ? NULL : system_allocate(count * size);
  return start ? memset(start, 0, count * size) : NULL;
}

static int is_settled(const void *start) { return (uintptr_t)start % LINE == 0; }

/* Constants where vectors can be read: in the file, or copied. */
static int settle_constants(opened *net) {
  const plan *p = &network_plan;
  const network_array *wanted = p->arrays + p->inputs + p->outputs;
  for (size_t i = 0; i < p->constants; ++i) {
    if (is_settled(net->constants[i])) continue;
    if (!(net->copies[i] = system_allocate(wanted[i].bytes))) return fail("there is no memory for its weights"), -1;
    memcpy(net->copies[i], net->constants[i], wanted[i].bytes);
    net->constants[i] = net->copies[i];
  }
  return 0;
}

static void place_tensors(opened *net) {
  const plan *p = &network_plan;
  for (size_t i = 0; i < p->tensors; ++i) {
    const planned_tensor *from = &p->tensor[i];
    tensor *made = &net->tensors[i];
    made->device_type = ON_PROCESSOR;
    made->axes = from->axes;
    made->code = from->code;
    made->bits = from->bits;
    made->lanes = 1;
    made->shape = from->shape;
    if (from->place == IN_ROOM) made->data = net->room + from->offset;
    if (from->place == IN_LIBRARY) made->data = (char *)(uintptr_t)p->held[from->array] + from->offset;
    if (from->place == IN_CONSTANT) made->data = (char *)(uintptr_t)net->constants[from->array] + from->offset;
  }
  for (size_t i = 0; i < p->arguments; ++i) {
    net->arguments[i].kind = TENSOR_ARGUMENT;
    net->arguments[i].is.pointer = &net->tensors[p->argument[i]];
  }
}

static network *open_from(const void *file, size_t bytes, int mapped, int threads) {
  const plan *p = &network_plan;
  opened *net = zeroed(1, sizeof *net);
  if (!net) {
    if (mapped) system_unmap(file, bytes);
    return fail("there is no memory for it"), NULL;
  }
  net->face = (network){p->inputs, p->outputs, p->arrays};
  net->file = mapped ? file : NULL;
  net->file_bytes = bytes;
#if defined(__wasm__)
  net->threads = 1;
#else
  net->threads = threads > 0 ? threads : system_cores();
#endif
  if (net->threads > MOST_THREADS) net->threads = MOST_THREADS;
  net->constants = zeroed(p->constants, sizeof *net->constants);
  net->copies = zeroed(p->constants, sizeof *net->copies);
  net->settled = zeroed(p->inputs + p->outputs, sizeof *net->settled);
  net->room = system_allocate(p->room);
  net->tensors = zeroed(p->tensors, sizeof *net->tensors);
  net->arguments = zeroed(p->arguments, sizeof *net->arguments);
  net->scratches = zeroed(1 + (size_t)net->threads, sizeof *net->scratches);
  int whole = net->constants && net->copies && net->settled && net->room && net->tensors && net->arguments && net->scratches;
  if (!whole) fail("there is no memory for it");
  if (!whole || weights_find(file, bytes, p->arrays + p->inputs + p->outputs, p->constants, net->constants) ||
      settle_constants(net))
    return network_close(&net->face), NULL;
  place_tensors(net);
  register_network(net);
  return &net->face;
}

network *network_open_bytes(const void *weights, size_t bytes, int threads) {
  return open_from(weights, bytes, 0, threads);
}

network *network_open(const char *weights, int threads) {
  size_t bytes = 0;
  const char *why = "";
  const void *file = system_map(weights, &bytes, &why);
  if (!file) return fail("%s: %s", weights, why), NULL;
  return open_from(file, bytes, 1, threads);
}

void network_close(network *face) {
  const plan *p = &network_plan;
  opened *net = (opened *)face;
  if (!net) return;
  forget_network(net);
  for (size_t i = 0; net->copies && i < p->constants; ++i) system_free(net->copies[i]);
  for (size_t i = 0; net->settled && i < p->inputs + p->outputs; ++i) system_free(net->settled[i]);
  for (int i = 0; net->scratches && i <= net->threads; ++i)
    for (int k = 0; k < PIECES; ++k) system_free(net->scratches[i].piece[k].start);
  if (net->file) system_unmap(net->file, net->file_bytes);
  system_free(net->constants);
  system_free(net->copies);
  system_free(net->settled);
  system_free(net->room);
  system_free(net->tensors);
  system_free(net->arguments);
  system_free(net->scratches);
  system_free(net);
}

/* ---- running */

/* The array itself where vectors can be read, else room for it; NULL where there is no memory. */
static void *settle(opened *net, size_t index, const void *given) {
  if (is_settled(given)) return (void *)(uintptr_t)given;
  if (!net->settled[index]) net->settled[index] = system_allocate(network_plan.arrays[index].bytes);
  return net->settled[index];
}

static int run_all(opened *net, const void *const *inputs, void *const *outputs) {
  const plan *p = &network_plan;
  for (size_t i = 0; i < p->inputs + p->outputs; ++i) {
    const void *given = i < p->inputs ? inputs[i] : outputs[i - p->inputs];
    void *used = given ? settle(net, i, given) : NULL;
    if (!given) return fail("the array '%s' is not given", p->arrays[i].name), -1;
    if (!used) return fail("there is no memory for '%s'", p->arrays[i].name), -1;
    if (i < p->inputs && used != given) memcpy(used, given, p->arrays[i].bytes);
  }
  for (size_t i = 0; i < p->tensors; ++i) {
    const planned_tensor *from = &p->tensor[i];
    if (from->place == IN_INPUT)
      net->tensors[i].data = (char *)settle(net, from->array, inputs[from->array]) + from->offset;
    if (from->place == IN_OUTPUT)
      net->tensors[i].data = (char *)settle(net, p->inputs + from->array, outputs[from->array]) + from->offset;
  }
  for (int i = 0; i <= net->threads; ++i)
    for (int k = 0; k < PIECES; ++k) net->scratches[i].piece[k].used = 0;
  for (size_t i = 0; i < p->calls; ++i) {
    const planned_call *call = &p->call[i];
    value result = {0, 0, {0}};
    if (call->function(NULL, net->arguments + call->first, (int32_t)call->count, &result)) return -1;
  }
  for (size_t i = 0; i < p->copies; ++i) {
    const planned_copy *copy = &p->copy[i];
    size_t index = p->inputs + copy->output;
    memcpy(settle(net, index, outputs[copy->output]), net->tensors[copy->tensor].data, p->arrays[index].bytes);
  }
  for (size_t i = 0; i < p->outputs; ++i)
    if (!is_settled(outputs[i])) memcpy(outputs[i], net->settled[p->inputs + i], p->arrays[p->inputs + i].bytes);
  return 0;
}

int network_run(network *face, const void *const *inputs, void *const *outputs) {
  opened *net = (opened *)face;
  take_turn(net);
  reason[0] = 0;
  running.net = net;
  running.own = &net->scratches[0];
  running.inside = 0;
  int failed = run_all(net, inputs, outputs);
  running.net = NULL;
  end_turn(net);
  if (failed && !reason[0]) fail("there is no memory for what it computes");
  return failed;
}
