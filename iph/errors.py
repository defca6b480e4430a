"""The one error of this package that is meant for a person to read."""


class InputError(ValueError):
    """What was given cannot be used. The message is one sentence: what was expected, and what came."""
