"""The semantic match: a closed form that finds the look of alike things, and the network that starts from it."""
