"""Masks as outlines for a screen to draw."""

import cv2
import numpy as np

SMOOTH = 1.5  # pixels: an outline shows where, not every hair
SPECK = 16  # pixels: smaller pieces of a mask are not outlined
TOLERANCE = 0.7  # pixels that a line may lie beside the mask's edge


def outline(mask: np.ndarray, box: tuple[float, float] | None = None) -> str:
    """The outline of a mask (h, w) as an SVG path, holes included; in its pixels, or in a box of that width and
    height."""
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), SMOOTH, borderType=cv2.BORDER_REPLICATE)
    inside = (smooth if smooth.max() >= 0.5 else mask) >= 0.5
    edges, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    large = [edge for edge in edges if cv2.contourArea(edge) >= SPECK] or edges
    scale = (1.0, 1.0) if box is None else (box[0] / mask.shape[1], box[1] / mask.shape[0])
    lines = [(cv2.approxPolyDP(edge, TOLERANCE, True)[:, 0] + 0.5) * scale for edge in large]  # each (K, 2)
    return "".join("M" + "L".join(f"{x:.5g} {y:.5g}" for x, y in points) + "Z" for points in lines)
