"""CIE L*a*b* in torch, differentiable everywhere: sRGB-encoded (B, 3, H, W) in [0, 1], white point D65.

L* from 0 to 100; the same matrices as OpenCV's ``COLOR_RGB2LAB`` for float images (IEC 61966-2-1, CIE 15).
"""

import torch
from torch import Tensor

_XYZ = torch.tensor([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_WHITE = torch.tensor([0.950456, 1.0, 1.088754])
_RGB = torch.linalg.inv(_XYZ)
_LINEAR_BELOW = 0.008856  # of a relative luminance; the cube root's slope would be endless at zero


def rgb_to_lab(image: Tensor) -> Tensor:
    """L*, a*, b* of an image, (B, 3, H, W) float32; values outside [0, 1] are clipped."""
    x = image.float().clamp(0, 1)
    linear = torch.where(x > 0.04045, ((x + 0.055) / 1.055) ** 2.4, x / 12.92)
    xyz = torch.einsum("ij,bjhw->bihw", _XYZ.to(x.device), linear) / _WHITE.to(x.device).view(1, 3, 1, 1)
    curved = torch.where(xyz > _LINEAR_BELOW, xyz.clamp_min(_LINEAR_BELOW) ** (1 / 3), 7.787 * xyz + 16 / 116)
    fx, fy, fz = curved.unbind(1)
    return torch.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], dim=1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """The sRGB-encoded image of (B, 3, H, W), not clipped: colours outside of sRGB lie outside [0, 1]."""
    lightness, a, b = lab.float().unbind(1)
    fy = (lightness + 16) / 116
    curved = torch.stack([fy + a / 500, fy, fy - b / 200], dim=1)
    xyz = torch.where(curved > 0.206893, curved**3, (curved - 16 / 116) / 7.787)
    xyz = xyz * _WHITE.to(lab.device).view(1, 3, 1, 1)
    linear = torch.einsum("ij,bjhw->bihw", _RGB.to(lab.device), xyz)
    return torch.where(linear > 0.0031308, 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055, linear * 12.92)
