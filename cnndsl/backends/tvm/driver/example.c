/* Runs the network once and says what it gives:
 *
 *     cc -O2 example.c lib.so -Wl,-rpath,'$ORIGIN' -o example
 *     ./example weights.safetensors picture.raw        (one file of bare numbers for each input; zeros where none is given)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"

static int fill(void *array, size_t bytes, const char *path) {
  FILE *file = fopen(path, "rb");
  size_t read = file ? fread(array, 1, bytes, file) : 0;
  if (file) fclose(file);
  if (read != bytes) fprintf(stderr, "%s has not %zu bytes\n", path, bytes);
  return read == bytes;
}

static void tell(const network_array *array, const void *content) {
  printf("%s, %s", array->name, array->type);
  for (int32_t i = 0; i < array->axes; ++i) printf("%s%lld", i ? "x" : " ", (long long)array->shape[i]);
  if (strcmp(array->type, "float32") == 0) {
    const float *numbers = content;
    size_t best = 0;
    for (size_t i = 1; i < array->bytes / sizeof *numbers; ++i)
      if (numbers[i] > numbers[best]) best = i;
    printf(": the largest is number %zu, %.3g", best, numbers[best]);
  }
  printf("\n");
}

int main(int count, char **words) {
  if (count < 2) return fprintf(stderr, "usage: %s weights.safetensors [input.raw ...]\n", words[0]), 2;
  network *net = network_open(words[1], 0);
  if (net == NULL) return fprintf(stderr, "%s\n", network_error()), 1;
  size_t all = net->inputs + net->outputs;
  void **arrays = calloc(all, sizeof *arrays);
  if (arrays == NULL) return 1;
  for (size_t i = 0; i < all; ++i) {
    arrays[i] = calloc(1, net->arrays[i].bytes);
    if (arrays[i] == NULL) return 1;
    if (i < net->inputs && i + 2 < (size_t)count && !fill(arrays[i], net->arrays[i].bytes, words[i + 2])) return 1;
  }
  if (network_run(net, (const void *const *)arrays, arrays + net->inputs) != 0)
    return fprintf(stderr, "%s\n", network_error()), 1;
  for (size_t i = net->inputs; i < all; ++i) tell(&net->arrays[i], arrays[i]);
  for (size_t i = 0; i < all; ++i) free(arrays[i]);
  free(arrays);
  network_close(net);
  return 0;
}
