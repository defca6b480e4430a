"""This project's networks as methods of the table."""

from pathlib import Path

import numpy as np
import pytest
import torch
from bench_pictures import picture, region

from bench.methods import resolve
from iph.checkpoint import save_network
from iph.errors import InputError
from iph.network import build


def test_a_network_that_reads_no_reference_needs_none(tmp_path: Path) -> None:
    composite, mask, reference = picture(1), region(4) > 0, region(26) > 0
    network = build("h-net")  # which changes nothing before it is trained
    generator = torch.Generator().manual_seed(3)
    for values in network.parameters():
        values.data += 0.1 * torch.randn(values.shape, generator=generator)
    runs = []
    for name in ("h-net", "h-net-se"):
        save_network(tmp_path / f"{name}.safetensors", network)
        (method,) = resolve([f"{name}={tmp_path}/{name}.safetensors"])
        runs.append(method.make())
    alone = runs[0](composite, mask, None)
    assert np.array_equal(alone, runs[0](composite, mask, reference)) and not np.array_equal(alone, composite)
    with pytest.raises(InputError, match="expected a reference mask for a method that looks at the reference"):
        runs[1](composite, mask, None)
