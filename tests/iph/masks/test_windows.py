"""Which network answers: that which knows people has its say as far as a person is asked for, and no further."""

import numpy as np
import pytest

from iph.masks import windows
from iph.masks.windows import FEATURES, OTHERS_SAY, Segmenter

SIDE = 64


class Drawn:
    """Networks that say what they are told to: the first's masks and people, the second's masks; what it was asked."""

    def __init__(self, mask: float, people: float, second: float) -> None:
        self.mask, self.people, self.second = mask, people, second
        self.asked: list[np.ndarray] = []

    def segmenter(self) -> Segmenter:
        return Segmenter(self._encode, self._decode, self._people)

    def _encode(self, image: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(np.zeros((1, 1, SIDE // stride, SIDE // stride), np.float32) for stride in FEATURES.values())

    def _decode(self, image: np.ndarray, prompts: np.ndarray, **features: np.ndarray) -> tuple[np.ndarray]:
        answer = np.zeros((1, prompts.shape[1], 3, SIDE // 2, SIDE // 2), np.float32)
        answer[:, :, 0], answer[:, :, 1] = self.mask, self.people
        return (answer,)

    def _people(self, image: np.ndarray, prompts: np.ndarray) -> tuple[np.ndarray]:
        self.asked.append(prompts)
        return (np.full((1, prompts.shape[1], 1, SIDE // 2, SIDE // 2), self.second, np.float32),)


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch):
    """Has drawn networks answer."""

    def answer(mask: float, people: float, second: float) -> Drawn:
        drawn = Drawn(mask, people, second)
        monkeypatch.setattr(windows, "network", drawn.segmenter)
        windows._looked_at.cache_clear()
        return drawn

    yield answer
    windows._looked_at.cache_clear()


def look() -> windows.Window:
    return windows.look(np.full((SIDE, SIDE, 3), 90, np.uint8), side=SIDE)


@pytest.mark.parametrize("people", [1.0, 0.6])
def test_of_a_person_both_have_their_say(answering, people: float) -> None:
    answering(0.9, people, 0.1)
    window = look()
    answer = window.ask([window.prompt([(30, 30)])])[0]
    np.testing.assert_allclose(answer[0], 0.9 + OTHERS_SAY * people * (0.1 - 0.9), rtol=1e-5)
    np.testing.assert_allclose(answer[1], people)


def test_of_a_thing_the_network_of_people_is_not_asked(answering) -> None:
    drawn = answering(0.9, 0.05, 0.1)
    window = look()
    np.testing.assert_allclose(window.ask([window.prompt([(30, 30)])])[0, 0], 0.9)
    assert not drawn.asked


def test_nor_where_nothing_is_asked_for(answering) -> None:
    drawn = answering(0.9, 1.0, 0.1)
    window = look()
    answers = window.ask([window.prompt(), window.prompt([(30, 30)])])[:, 0]
    np.testing.assert_allclose(answers[0], 0.9)
    np.testing.assert_allclose(answers[1], 0.5, rtol=1e-5)
    assert [asked.shape[1] for asked in drawn.asked] == [1]


def test_every_shipped_network_can_be_read() -> None:
    windows.read_networks()
