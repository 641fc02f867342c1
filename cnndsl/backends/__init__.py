"""What turns a graph into something: the only rooms that import the library they write for."""
