"""Networks of torch in weight files: safetensors with the network's settings beside the tensors."""

import json
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from iph.errors import InputError
from iph.files import replacing
from iph.network import Config, Network, StyleEncoder
from iph.runtime.shipped import read_tensors


def save_network(path: str | Path, network: Network | StyleEncoder, half: bool = False) -> None:
    """Write a network's tensors and settings; ``half`` stores float16."""
    dtype = torch.float16 if half else torch.float32
    tensors = {name: value.detach().to("cpu", dtype).contiguous() for name, value in network.state_dict().items()}
    settings = {"kind": type(network).__name__, "config": network.settings()}
    with replacing(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={"settings": json.dumps(settings)}))


def load_network(name: str | Path) -> Network | StyleEncoder:
    """The network of a shipped name or a path, in evaluation mode on the CPU. InputError says what is wrong."""
    tensors, settings = load_tensors(name)
    kinds = {"Network": Network, "StyleEncoder": StyleEncoder}
    try:
        config = Config(**{key: tuple(v) if isinstance(v, list) else v for key, v in settings["config"].items()})
        network = kinds[settings["kind"]](config)
    except (KeyError, TypeError) as error:
        raise InputError(
            f"expected the weights {name} to name their network, but their settings say {settings}"
        ) from error
    wanted, found = network.state_dict(), tensors
    differing = sorted(set(wanted) ^ set(found)) or [key for key in wanted if wanted[key].shape != found[key].shape]
    if differing:
        raise InputError(
            f"expected the weights {name} to fit their network, but these differ: {', '.join(differing[:3])}"
        )
    network.load_state_dict(tensors)
    return network.eval().requires_grad_(False)


def load_harmonizer(name: str | Path) -> Network:
    """``load_network`` of weights that harmonize by style codes; InputError for those of anything else."""
    network = load_network(name)
    if not isinstance(network, Network):
        raise InputError(f"expected the weights of a harmonizer, but {name} holds a {type(network).__name__}")
    return network


def load_tensors(name: str | Path) -> tuple[dict[str, Tensor], dict]:
    """float32 tensors and settings of a shipped name (checksum verified) or of a ``.safetensors`` path."""
    tensors, settings = read_tensors(name)
    return {key: torch.from_numpy(value) for key, value in tensors.items()}, settings
