"""The voting page: what raters and administrators of a study see, and the plain routes behind it."""
