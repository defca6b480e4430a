"""The numbers that networks of torch compute in, where half the digits are enough."""

import torch


def quick_precision(device: str = "cpu") -> torch.dtype:
    """bfloat16 where the device computes in it. A processor without (before AVX-512 or AMX) imitates it, which takes
    ten times as long as float32: there it is float32."""
    quick = device != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.bfloat16 if quick else torch.float32


def quick_autocast(device: str = "cpu", enabled: bool = True) -> torch.autocast:
    """Autocast to ``quick_precision`` of the device."""
    return torch.autocast(device, torch.bfloat16, enabled=enabled and quick_precision(device) == torch.bfloat16)
