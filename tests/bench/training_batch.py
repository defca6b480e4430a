"""A batch like those that networks are retrained on."""

import torch

SIZE = 64


def batch() -> dict[str, torch.Tensor]:
    """Two composites with foreground, reference and truth, all SIZE wide: what a training step gets."""
    generator = torch.Generator().manual_seed(0)
    masks = torch.zeros(2, 2, 1, SIZE, SIZE)
    masks[0, ..., 8:40, 4:30] = 1
    masks[1, ..., 8:40, 34:60] = 1
    image, target = torch.rand(2, 2, 3, SIZE, SIZE, generator=generator)
    return {
        "composite": image,
        "foreground": masks[0],
        "reference_image": image,
        "reference": masks[1],
        "target": target,
        "paired": torch.ones(2),
    }


def arguments(sample: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """The four tensors of a batch that a network is called with."""
    return [sample[name] for name in ("composite", "foreground", "reference_image", "reference")]
