"""Random calls of NumPy's functions and of Tensor's methods, of nodes and of plain arrays: results and refusals agree."""
