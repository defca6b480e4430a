"""The errors of ``iph``, on which this package stands."""

from iph.errors import InputError, unknown

__all__ = ["InputError", "unknown"]
