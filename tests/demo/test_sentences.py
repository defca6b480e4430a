"""Errors as sentences, on every screen alike."""

import pytest

from demo.sentences import OUR_FAULT, explained, sentence
from iph.errors import InputError


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("expected a mask, got none", "Expected a mask, got none."),
        ("Is it there?", "Is it there?"),
        ("votes.csv: expected a header", "votes.csv: expected a header."),
        (InputError("nobody was found"), "Nobody was found."),
    ],
)
def test_sentences_begin_and_end_like_sentences(said, told):
    assert sentence(said) == told


def test_only_what_a_person_can_mend_is_told(caplog):
    assert explained(InputError("expected a photo"), "it") == "Expected a photo."
    assert explained(KeyError("a secret"), "it") == OUR_FAULT
    assert "a secret" in caplog.text and "it failed" in caplog.text
