"""Graph → machine code by TVM's Relax: compiled in memory, or exported as a package that needs its runtime alone."""
