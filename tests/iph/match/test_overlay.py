"""Overlays of what was matched with what."""

from dataclasses import replace

import numpy as np
import pytest

import iph
from iph.match.functions import functions
from iph.match.look import MatchLook
from iph.match.network import start_network
from iph.match.overlay import CORNERS, COVER, overlays
from iph.reference import Reference

SHAPE = (96, 128)
FOREGROUND, REFERENCE = np.zeros((2, *SHAPE), np.float32)
FOREGROUND[6:90, 8:56] = REFERENCE[6:90, 72:120] = 1


@pytest.fixture(scope="module")
def seen():
    image = np.random.default_rng(0).integers(0, 255, (*SHAPE, 3)).astype(np.uint8)
    look = MatchLook(functions(start_network("small")), True, image, FOREGROUND)
    return (look.foreground, *look.matched(Reference(REFERENCE)))


def test_a_cell_has_the_colour_of_the_place_it_attends_to(seen):
    own, found, other = seen
    attention = np.zeros_like(found.attention)
    attention[..., 16 * 2 + 9] = 1  # a cell near the reference's upper left corner
    found = replace(found, attention=attention, alike=np.ones_like(found.alike))
    over, there = overlays(found, own, other)
    inside = over[FOREGROUND > 0]
    assert np.ptp(inside, axis=0).max() == 0 and inside[0, 3] == round(255 * COVER)
    assert np.abs(there[17, 79, :3].astype(int) - inside[0, :3]).max() <= 12
    assert np.abs(there[8, 73, :3] - CORNERS[0, 0]).max() < 50 and np.abs(there[88, 118, :3] - CORNERS[1, 1]).max() < 50


def test_only_the_two_regions_are_painted_and_what_is_not_believed_fades(seen):
    own, found, other = seen
    over, there = overlays(replace(found, alike=np.zeros_like(found.alike)), own, other)
    assert over.shape == there.shape == (*SHAPE, 4) and over.dtype == np.uint8
    assert (over[..., 3] > 0).tolist() == (FOREGROUND > 0).tolist()
    assert (there[..., 3] > 0).tolist() == (REFERENCE > 0).tolist()
    assert over[..., 3].max() < there[..., 3].max() / 4


def test_a_session_shows_what_it_matched():
    image = np.full((*SHAPE, 3), 128, np.uint8)
    session = iph.load("portrait").open(image, FOREGROUND)
    here, there = session.matched(REFERENCE)
    assert not here[FOREGROUND == 0].any() and here[FOREGROUND > 0, 3].all()
    small = np.zeros((40, 60, 3), np.uint8)
    assert session.matched(reference_image=small)[1].shape == (40, 60, 4)
    with pytest.raises(iph.InputError, match="expected one reference to show"):
        session.matched([iph.Reference(REFERENCE), iph.Reference(REFERENCE)])
    with pytest.raises(iph.InputError, match="one that does not"):
        iph.load("small").open(image, FOREGROUND).matched(REFERENCE)
