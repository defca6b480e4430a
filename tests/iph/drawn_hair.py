"""A head of strands before another ground, alpha and colours known."""

import cv2
import numpy as np

HEIGHT, WIDTH = 200, 240


def drawn_hair(textured: bool = False, times: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The picture (H, W, 3) float32 in [0, 1], its alpha (H, W), and the true foreground.

    Dark strands before a bright sky; textured: before blots, with lighter and darker strands. times: larger.
    """
    rng = np.random.default_rng(4)
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.circle(alpha, (120, 120), 60, 1.0, -1)
    for angle in rng.uniform(0, 2 * np.pi, 150):
        end = 120 + 85 * np.cos(angle), 120 + 85 * np.sin(angle)
        cv2.line(alpha, (120, 120), (round(end[0]), round(end[1])), 1.0, 1, cv2.LINE_AA)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 1.2)
    ys, xs = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    true = np.dstack([0.25 + 0.1 * xs / WIDTH, 0.15 + 0 * xs, 0.1 + 0.05 * ys / HEIGHT])
    ground = np.dstack([0.7 + 0 * xs, 0.8 + 0.1 * ys / HEIGHT, 0.95 + 0 * xs])
    if textured:
        true += 0.08 * np.sin(np.arctan2(ys - 120, xs - 120) * 40)[..., None]
        ground -= 0.3 * cv2.GaussianBlur(rng.normal(0, 8, (HEIGHT, WIDTH)), (0, 0), 5)[..., None]
    size = (WIDTH * times, HEIGHT * times)
    alpha, true, ground = (cv2.resize(a.astype(np.float32).clip(0, 1), size) for a in (alpha, true, ground))
    return alpha[..., None] * true + (1 - alpha[..., None]) * ground, alpha, true


def rough_mask(alpha: np.ndarray) -> np.ndarray:
    """What a network might make of it: a little too large and blurred."""
    hard = cv2.dilate((alpha > 0.5).astype(np.float32), np.ones((3, 3)))
    return cv2.GaussianBlur(hard, (0, 0), 0.7)
