"""Results of other people: numbers in one file, or pictures that are measured again; with a history of every change."""
