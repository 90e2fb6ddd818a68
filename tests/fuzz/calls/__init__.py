"""Random calls of NumPy's functions and of Tensor's methods: of nodes they come to what they come to of arrays."""
