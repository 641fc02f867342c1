/* Reads the inputs of a network from its standard input, one behind the other, and writes its outputs to the other. */
#include <stdio.h>
#include <stdlib.h>

#include "network.h"

int main(int count, char **words) {
  network *net = count == 2 ? network_open(words[1], 2) : NULL;
  if (!net) return fprintf(stderr, "%s\n", network_error()), 1;
  size_t all = net->inputs + net->outputs;
  void **arrays = calloc(all, sizeof *arrays);
  for (size_t i = 0; i < all; ++i) arrays[i] = malloc(net->arrays[i].bytes);
  for (size_t i = 0; i < net->inputs; ++i)
    if (fread(arrays[i], 1, net->arrays[i].bytes, stdin) != net->arrays[i].bytes) return 2;
  if (network_run(net, (const void *const *)arrays, arrays + net->inputs)) return fprintf(stderr, "%s\n", network_error()), 1;
  for (size_t i = net->inputs; i < all; ++i) fwrite(arrays[i], 1, net->arrays[i].bytes, stdout);
  network_close(net);
  return 0;
}
