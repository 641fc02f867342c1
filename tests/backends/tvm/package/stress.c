/* Runs a network in every way that a program may, for sanitizers to watch: several networks, each called by several
 * threads, opened and closed meanwhile; a fork; and files of weights of which bytes have changed. Every result must be the
 * first one, bit for bit.
 *
 *     stress weights.safetensors threads|forks|files
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "network.h"

enum { NETWORKS = 3, CALLERS = 4, RUNS = 60, CHANGES = 20000 };

static const char *weights;
static network *shared[NETWORKS];
static void *inputs[16];
static char *expected[16];

static void make_inputs(const network *net) {
  for (size_t i = 0; i < net->inputs; ++i) {
    inputs[i] = malloc(net->arrays[i].bytes);
    for (size_t k = 0; k < net->arrays[i].bytes / 4; ++k) ((float *)inputs[i])[k] = (float)((k * 7 + i) % 13) - 6;
  }
}

/* 0 where a run gives what is expected, or what is then expected. */
static int run(network *net, int first) {
  void *outputs[16];
  int wrong = 0;
  for (size_t i = 0; i < net->outputs; ++i) outputs[i] = malloc(net->arrays[net->inputs + i].bytes);
  wrong = network_run(net, (const void *const *)inputs, outputs);
  for (size_t i = 0; i < net->outputs; ++i) {
    if (first)
      expected[i] = outputs[i];
    else {
      wrong |= memcmp(expected[i], outputs[i], net->arrays[net->inputs + i].bytes);
      free(outputs[i]);
    }
  }
  return wrong;
}

static void *call(void *given) {
  intptr_t wrong = 0;
  size_t mine = (size_t)(intptr_t)given;
  for (int i = 0; i < RUNS; ++i) {
    wrong |= run(shared[(mine + (size_t)i) % NETWORKS], 0);
    if (i % 10 == 0) {
      network *own = network_open(weights, 1 + i % 3);
      wrong |= own == NULL || run(own, 0);
      network_close(own);
    }
  }
  return (void *)wrong;
}

static int call_from_threads(void) {
  pthread_t callers[CALLERS];
  int wrong = 0;
  for (intptr_t i = 0; i < CALLERS; ++i) pthread_create(&callers[i], NULL, call, (void *)i);
  for (int i = 0; i < CALLERS; ++i) {
    void *said;
    pthread_join(callers[i], &said);
    wrong |= said != NULL;
  }
  return wrong;
}

static int fork_and_run(void) {
  int wrong = 0;
  for (int i = 0; i < 20; ++i) {
    wrong |= run(shared[0], 0);
    pid_t child = fork();
    if (child == 0) {
      alarm(60);
      _exit(run(shared[0], 0) || run(shared[1], 0) || call(NULL) != NULL);
    }
    int status = 1;
    waitpid(child, &status, 0);
    wrong |= status;
  }
  return wrong;
}

/* Changes some bytes of the file's head, or cuts the file off: it is opened, or it is not, and nothing else is read. */
static int open_changed(void) {
  FILE *file = fopen(weights, "rb");
  fseek(file, 0, SEEK_END);
  size_t bytes = (size_t)ftell(file), opened = 0;
  char *whole = malloc(bytes);
  rewind(file);
  if (fread(whole, 1, bytes, file) != bytes) return 1;
  fclose(file);
  size_t head = 8 + (size_t)*(uint64_t *)(void *)whole;
  srand(1);
  for (int i = 0; i < CHANGES; ++i) {
    size_t length = i % 4 ? head + (size_t)rand() % 64 : (size_t)rand() % head;
    if (i % 16 == 1) length = bytes;
    /* As long as it is and no longer: a look behind its end is seen. */
    char *copy = malloc(length ? length : 1);
    memcpy(copy, whole, length);
    static const char signs[] = "\"\\{}[],:u0123456789-eF\n\0\377";
    for (int change = rand() % 4; change > 0 && length > 8; --change) {
      size_t place = i % 3 ? 8 + (size_t)rand() % ((head < length ? head : length) - 8) : (size_t)rand() % 12;
      if (place < length) copy[place] = rand() % 2 ? signs[(size_t)rand() % (sizeof signs - 1)] : (char)rand();
    }
    network *net = network_open_bytes(copy, length, 1);
    opened += net != NULL;
    network_close(net);
    free(copy);
  }
  free(whole);
  printf("%d files, %zu of them opened\n", CHANGES, opened);
  return opened == 0;
}

int main(int count, char **words) {
  if (count != 3) return 2;
  weights = words[1];
  for (int i = 0; i < NETWORKS; ++i)
    if (!(shared[i] = network_open(weights, 1 + i))) return fprintf(stderr, "%s\n", network_error()), 1;
  make_inputs(shared[0]);
  int wrong = run(shared[0], 1);
  if (!strcmp(words[2], "threads")) wrong |= call_from_threads();
  if (!strcmp(words[2], "forks")) wrong |= fork_and_run();
  if (!strcmp(words[2], "files")) wrong |= open_changed();
  for (size_t i = 0; i < shared[0]->inputs; ++i) free(inputs[i]);
  for (size_t i = 0; i < shared[0]->outputs; ++i) free(expected[i]);
  for (int i = 0; i < NETWORKS; ++i) network_close(shared[i]);
  return wrong != 0;
}
