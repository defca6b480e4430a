"""Training of the network that finds people unasked."""
