"""Methods on data sets: every picture evaluated once, its row and its output kept."""
