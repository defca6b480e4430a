"""User studies of pictures: design, vote store, scores, screening. Imports no screen and no torch."""
