"""The studio: the page on which a person is placed, a reference pointed at and the result taken home, and its API."""
