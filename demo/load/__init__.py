"""Visitors at human pace against a running server: editors, callers of the API and raters, and how long they wait."""
