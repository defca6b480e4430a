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
        (
            "expected a manifest at /srv/data/own/manifest.csv, but: gone",
            "Expected a manifest at manifest.csv, but: gone.",
        ),
        ("expected a recipe, got '/srv/a b/look.json': gone", "Expected a recipe, got 'look.json': gone."),
        ("votes at sqlite:////srv/votes.db: locked", "Votes at votes.db: locked."),
        ("no store at postgresql+psycopg://me@db.local/study?host=/run: away", "No store at study: away."),
        ("expected 3/4 of https://example.org/a/b and/or none", "Expected 3/4 of https://example.org/a/b and/or none."),
    ],
)
def test_sentences_begin_and_end_like_sentences(said, told):
    assert sentence(said) == told


def test_where_files_lie_is_in_the_log_only(caplog):
    assert "/srv" not in sentence("expected a folder at /srv/secret/results, found none")
    assert "/srv/secret/results" in caplog.text


def test_only_what_a_person_can_mend_is_told(caplog):
    assert explained(InputError("expected a photo"), "it") == "Expected a photo."
    assert explained(KeyError("a secret"), "it") == OUR_FAULT
    assert "a secret" in caplog.text and "it failed" in caplog.text
