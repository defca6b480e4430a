"""Training: the objective, the loop over the paper's three stages, validation, and the shipped weights' recipe."""
