"""The composite that the command line's tests harmonize, and the options that name its masks."""

import numpy as np

SHAPE = (80, 120)
BOX = ("60", "10", "110", "70")


def mask(y0: int, y1: int, x0: int, x1: int) -> np.ndarray:
    plane = np.zeros(SHAPE, np.uint8)
    plane[y0:y1, x0:x1] = 255
    return plane


FOREGROUND, REFERENCE, OTHER = mask(20, 70, 10, 50), mask(10, 70, 60, 110), mask(0, 8, 0, 120)
F, R, OUT = ("--foreground", "fg.png"), ("--reference", "ref.png"), ("-o", "out.png")
