"""What a study says no with."""

from userstudy.errors import InputError


class Refused(InputError):
    """A rater's request that cannot be granted. ``code`` says which kind: busy, paused, closed, full, crowded (too many
    from one address), session (another one of the panel), conflict or invalid. ``seconds``: when to try again."""

    def __init__(self, code: str, message: str, seconds: float | None = None):
        super().__init__(message)
        self.code, self.seconds = code, seconds
