"""``python -m bench``, one module a group of verbs."""
