"""What whoever runs a server needs to see of it: whether it is ready, its figures, and a line for every request."""
