/* Reads the arrays of a safetensors file out of memory, believing nothing that it says. */
#ifndef CNNDSL_WEIGHTS_H
#define CNNDSL_WEIGHTS_H

#include "network.h"

/* Sets `places[i]` to where the array `wanted[i]`, its type and shape as they are wanted, lies in the file. 0, or another
 * number where the file does not have it, after `fail`. */
int weights_find(const unsigned char *file, size_t bytes, const network_array *wanted, size_t count,
                 const unsigned char **places);

#endif
