"""Recipes, tables and manifests that would cost gigabytes, never end, or show what a private file says."""

import json
import os

import pytest
from cost import cost

from iph.cube import read_cube
from iph.data.manifest import read_manifest
from iph.errors import InputError
from iph.images.metadata import mark_edited, readable_xmp
from iph.recipe import Recipe

MOST_MEGABYTES, MOST_SECONDS = 250, 5
MEGABYTES = 1_000_000
TEXTS = {
    "recipe: 20 million lists": (Recipe.load, b"[" + b"[]," * 20 * MEGABYTES + b"[]]"),
    "recipe: 20 million numbers": (Recipe.load, b'{"kind": [' + b"1," * 20 * MEGABYTES + b"1]}"),
    "recipe: lists in lists": (Recipe.load, b"[" * 9_000 + b"]" * 9_000),
    "recipe: a number of 5,000 digits": (Recipe.load, b'{"kind": "iph-recipe", "version": ' + b"9" * 5_000 + b"}"),
    "recipe: a number of 20 million digits": (Recipe.load, b'{"version": 1' + b"0" * 20 * MEGABYTES + b"}"),
    "recipe: endless": (Recipe.load, b" " * 70 * MEGABYTES),
    "cube: one line of 30 million numbers": (read_cube, b"LUT_3D_SIZE 2\n" + b"1 " * 30 * MEGABYTES),
    "cube: 20 million rows": (read_cube, b"LUT_3D_SIZE 2\n" + b"1 1 1\n" * 20 * MEGABYTES),
    "cube: 20 million rows of no table": (read_cube, b"1 1 1\n" * 20 * MEGABYTES),
    "cube: a size of 5,000 digits": (read_cube, b"LUT_3D_SIZE " + b"1" * 5_000),
    "cube: 100 million empty lines": (read_cube, b"\n" * 10 * MEGABYTES),
    "manifest: one line of 30 million cells": (read_manifest, b"id,composite,foreground\n" + b"a," * 30 * MEGABYTES),
    "manifest: a row over a million lines": (read_manifest, b"id,composite,foreground\n" + b'a,"\n",' * 5 * MEGABYTES),
    "manifest: a header of 30 million columns": (read_manifest, b"a," * 30 * MEGABYTES),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_bomb_costs_little(tmp_path, name):
    read, content = TEXTS[name]
    path = tmp_path / "manifest.csv"
    path.write_bytes(content)
    sentence, megabytes, seconds = cost(read, tmp_path if read is read_manifest else path)
    assert sentence and "\n" not in sentence and len(sentence) < 300
    assert megabytes < MOST_MEGABYTES and seconds < MOST_SECONDS, f"{megabytes:.0f} MB, {seconds:.1f} s, {sentence}"


RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{}</rdf:RDF>'
ATTRIBUTE = 'a{}=""'.format
ENTITIES = '<!DOCTYPE x [<!ENTITY a "' + "b" * 1000 + '">]>' + RDF.format("<rdf:Description>&a;</rdf:Description>")
PACKETS = {
    "a million elements": RDF.format("<a/>" * MEGABYTES).encode(),
    "a million attributes": RDF.format(f"<a {' '.join(map(ATTRIBUTE, range(MEGABYTES)))}/>").encode(),
    "a million comments": RDF.format("<!---->" * MEGABYTES).encode(),
    "3,000 levels": RDF.format("<a>" * 3_000 + "</a>" * 3_000).encode(),
    "a document type": ENTITIES.encode(),
    "a document type in UTF-16": ENTITIES.encode("utf-16"),
    "a document type in UTF-32": ENTITIES.encode("utf-32"),
    "text of 60 megabytes": RDF.format("\n" * 60 * MEGABYTES).encode(),
}


@pytest.mark.parametrize("name", PACKETS)
def test_an_xmp_bomb_is_left_out_and_said(name):
    xmp = PACKETS[name]

    def both() -> None:
        kept, notes = readable_xmp(xmp)
        assert kept is None and "XMP" in notes[0]
        assert len(mark_edited(xmp)) < 2_000

    sentence, megabytes, seconds = cost(both)
    assert not sentence and megabytes < MOST_MEGABYTES and seconds < MOST_SECONDS, (
        f"{megabytes:.0f} MB, {seconds:.1f} s"
    )


@pytest.mark.parametrize("read", [Recipe.load, read_cube])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_only_regular_files_are_read(tmp_path, read, kind):
    path = {"device": "/dev/zero", "folder": tmp_path, "pipe": tmp_path / "pipe"}[kind]
    if kind == "pipe":
        os.mkfifo(path)
    sentence, megabytes, seconds = cost(read, path)
    assert sentence.startswith("expected a re") and megabytes < 10 and seconds < 1


def test_a_sentence_quotes_no_file(tmp_path):
    secret = "hunter2-is-the-password"
    recipe = {"kind": "iph-recipe", "version": 1, "strength": 1, "luminance": 1, "chroma": 1, "names": {}, "model": "m"}
    contents = [json.dumps(content) for content in ({"password": secret}, [secret], secret)]
    contents += [json.dumps(recipe | {key: value}) for key in recipe for value in (secret, {"kind": secret}, [secret])]
    contents += [json.dumps(recipe | {key: secret}) for key in ("placement", "mapping", "foreground")]
    contents += [f"LUT_3D_SIZE {secret}", f"LUT_3D_SIZE 2\n0 {secret}", f"DOMAIN_MIN {secret}", f"0{secret}"]
    for content in contents:
        (tmp_path / "file").write_text(content)
        for read in (Recipe.load, read_cube):
            with pytest.raises(InputError) as error:
                read(tmp_path / "file")
            assert secret not in str(error.value) and "hunter" not in str(error.value)
