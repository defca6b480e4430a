"""Strict loading: a checkpoint must hold exactly the network's tensors, and an error names the first that differ.

RainNet's own loader skips in silence what does not fit, and DoveNet's loads with ``strict=False``: people then compare
garbage without a warning.
"""

from torch import Tensor, nn

from iph.errors import InputError

SHOWN = 3


def load_strict(module: nn.Module, state: dict[str, Tensor], source: str) -> None:
    """Copy ``state`` into ``module``. Raises ``InputError`` that names the first differing keys or shapes.

    BatchNorm's step counters may be absent, as in files older than PyTorch 1.0: no output depends on them.
    """
    wanted = module.state_dict()
    absent = [key for key in wanted if key not in state and not key.endswith("num_batches_tracked")]
    surplus = [key for key in state if key not in wanted]
    misshapen = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(value.shape)}"
        for key, value in wanted.items()
        if key in state and state[key].shape != value.shape
    ]
    found = [
        f"{title} {', '.join(keys[:SHOWN])}" + (f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else "")
        for title, keys in (("absent:", absent), ("unknown:", surplus), ("of another shape:", misshapen))
        if keys
    ]
    if found:
        raise InputError(
            f"expected the {len(wanted)} tensors of {type(module).__name__} in {source}, but {'; '.join(found)}"
        )
    module.load_state_dict(wanted | state)
