"""Keys of a study: who a rater is without saying so, and who may come back as that rater.

Everything is an HMAC under the study's secret, so no token is stored and none can be made up.
"""

import hashlib
import hmac
import secrets

from userstudy.errors import InputError


class ForeignToken(InputError):
    """The token is not of this study."""


def _mac(secret: bytes, text: str, length: int) -> str:
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:length]


def anonymous_id(secret: bytes, origin: str, external_id: str | None) -> str:
    """A rater's id: a keyed hash of a panel's participant id (the same person is the same rater), else random."""
    return _mac(secret, f"rater\0{origin}\0{external_id}", 16) if external_id else secrets.token_hex(8)


def rater_token(secret: bytes, rater: str) -> str:
    """What a rater's browser keeps: ``study.rater.proof``."""
    return f"{_mac(secret, 'study', 8)}.{rater}.{_mac(secret, f'token {rater}', 32)}"


def rater_of(secret: bytes, token: str) -> str:
    """The rater whom a token belongs to. Raises ForeignToken for one of another study or a forged one."""
    study, _, rest = token.partition(".")
    rater, _, proof = rest.partition(".")
    if not hmac.compare_digest(study.encode(), _mac(secret, "study", 8).encode()):
        raise ForeignToken("this link or token belongs to another study")
    if not hmac.compare_digest(proof.encode(), _mac(secret, f"token {rater}", 32).encode()):
        raise ForeignToken("this token is not valid")
    return rater


def panel_session_hash(secret: bytes, number: str) -> str:
    """A panel's session number as the store keeps it."""
    return _mac(secret, f"session\0{number}", 32)


def network_hash(secret: bytes, network: str) -> str:
    """A network's six hex digits. So few that 256 IPv4 addresses share them: whoever holds the store and its secret
    still cannot tell which one it was, and two that meet by chance only share a limit."""
    return _mac(secret, f"network\0{network}", 6)


def admin_token(secret: bytes, key: str = "") -> str:
    """Opens the study's admin page; whoever can read the store can read it, no one else can guess it.

    ``key`` is the study's ``admin_key``: another one ends the tokens before it and leaves raters' tokens as they are.
    """
    return _mac(secret, f"admin {key}" if key else "admin", 40)
