// c++ -std=c++17 -Ipackage call.cpp package/lib.so -Wl,-rpath,package -o call
#include <cstdio>
#include <memory>
#include <vector>

#include "network.h"

int main(int, char **words) {
  std::unique_ptr<network, decltype(&network_close)> net(network_open(words[1], 0), network_close);
  if (!net) return std::fprintf(stderr, "%s\n", network_error()), 1;
  // One input and one output, of float32.
  std::vector<float> input(net->arrays[0].bytes / sizeof(float), 1.0f), output(net->arrays[1].bytes / sizeof(float));
  const void *inputs[] = {input.data()};
  void *outputs[] = {output.data()};
  if (network_run(net.get(), inputs, outputs)) return std::fprintf(stderr, "%s\n", network_error()), 1;
  for (float number : output) std::printf("%.9g\n", number);
}
