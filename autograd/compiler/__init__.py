"""From a recorded graph to a program: tracing, the straight-line program, and what prints it."""
