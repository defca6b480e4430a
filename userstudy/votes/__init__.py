"""The second step: raters' sessions, the vote store, and votes in and out of it."""
