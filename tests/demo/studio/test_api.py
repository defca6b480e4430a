"""The API by name: what is there, what it answers, what it refuses; for gradio_client, plain HTTP and MCP."""

import base64
import json
import os
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from psd_tools import PSDImage
from studio_pictures import disc, scene, write
from visitor_hands import studio

import iph
from demo.gate_routes import FUNCTIONS
from demo.uploads import MAX_UPLOAD
from iph.images.imagefile import read_photo
from iph.mapping import ColorMapping
from iph.masks import EdgeAdjustment
from iph.placement import Placement
from iph.recipe import Recipe

__all__ = ["studio"]  # a fixture
PATIENT = httpx.Client(timeout=90)  # other work may share the machine
NAMES = set(FUNCTIONS)


@pytest.fixture(scope="module")
def address(studio):
    return studio.address


@pytest.fixture(scope="module")
def client(address, tmp_path_factory):
    client = Client(address, verbose=False, download_files=str(tmp_path_factory.mktemp("answers")))
    yield client
    client.close()  # or the server would wait for it


@pytest.fixture
def files(tmp_path):
    """A composite, its mask, a cut-out and another photo."""
    paths = {
        "photo": write(tmp_path / "beach.png", scene()),
        "mask": write(tmp_path / "mask.png", np.repeat(disc(120, 160, 0.7)[..., None], 3, 2)),
        "person": write(tmp_path / "me.png", scene(80, 60, 2), disc(80, 60)),
        "other": write(tmp_path / "other.png", scene(90, 90, 7)),
    }
    return {name: handle_file(path) for name, path in paths.items()}


def test_only_the_named_functions_are_offered_and_documented(address, client):
    endpoints = client.view_api(return_format="dict")
    assert {name.strip("/") for name in endpoints["named_endpoints"]} == NAMES
    assert not endpoints["unnamed_endpoints"]
    tools = {tool["name"]: tool for tool in PATIENT.get(f"{address}/gradio_api/mcp/schema").json()}
    assert set(tools) == NAMES
    for tool in tools.values():
        assert len(tool["description"]) > 40
        assert all(field.get("description") for field in tool["inputSchema"]["properties"].values()), tool["name"]


def test_harmonize_answers_what_iph_answers(client, files):
    photo, cube, recipe = client.predict(
        files["photo"],
        files["mask"],
        reference_box=[0.05, 0.05, 0.3, 0.5],
        strength=0.8,
        luminance=1.0,
        chroma=0.6,
        r1=0.9,
        r2=0.7,
        api_name="/harmonize",
    )
    region = np.zeros((120, 160), np.float32)
    region[6:60, 8:48] = 1
    mask = disc(120, 160, 0.7)
    expected = iph.harmonize(scene(), mask / np.float32(255), region, strength=0.8, chroma=0.6, r1=0.9, r2=0.7)
    np.testing.assert_array_equal(read_photo(photo).pixels, expected.image)
    assert Path(photo).name == "beach-harmonized.png" and "LUT_3D_SIZE 33" in Path(cube).read_text()
    np.testing.assert_allclose(Recipe.load(recipe).change.change, expected.mapping.change, atol=1e-12)


def test_the_way_from_two_pictures_to_a_replayed_result(client, files):
    composite, mask, note = client.predict(files["photo"], files["person"], 0.7, 0.6, 0.5, api_name="/paste")
    assert note == "" and read_photo(composite).pixels.shape == (120, 160, 3) and read_photo(mask).pixels.max() > 250
    composite, mask = handle_file(composite), handle_file(mask)
    found = client.predict(composite, mask, api_name="/suggest_references")
    assert found[-1]["label"] == "Background" and len(found[0]["box"]) == 4
    photo, _, recipe = client.predict(composite, mask, reference_photo=files["other"], api_name="/harmonize")
    again = client.predict(handle_file(recipe), composite, api_name="/replay")
    np.testing.assert_array_equal(read_photo(again).pixels, read_photo(photo).pixels)
    other = client.predict(handle_file(recipe), files["photo"], foreground=files["mask"], api_name="/replay")
    given = np.repeat(disc(120, 160, 0.7)[..., None], 3, 2)[..., 0] / np.float32(255)
    np.testing.assert_array_equal(read_photo(other).pixels, Recipe.load(recipe).change.apply(scene(), given))
    small = client.predict(handle_file(recipe), 17, api_name="/export_cube")
    assert "LUT_3D_SIZE 17" in Path(small).read_text()
    layers = PSDImage.open(client.predict(handle_file(recipe), composite, api_name="/export_layers"))
    assert [layer.name for layer in layers][0] == "Background" and len(list(layers)) == 3


def test_cut_out_answers_what_iph_answers(client, files, tmp_path):
    person, mask, note = client.predict(files["photo"], box=[0.1, 0.1, 0.9, 0.9], api_name="/cut_out")
    found, expected = read_photo(person), iph.cutout(scene(), box=(16, 12, 144, 108))
    np.testing.assert_array_equal(found.pixels[found.alpha > 0], expected.pixels[expected.alpha > 0])
    np.testing.assert_array_equal(found.alpha, expected.alpha)
    np.testing.assert_array_equal(read_photo(mask).pixels[..., 0], expected.alpha)
    assert Path(person).name == "beach-person.png" and note == ""
    clicked = client.predict(files["photo"], x=0.7, y=0.5, api_name="/cut_out")[0]
    np.testing.assert_array_equal(read_photo(clicked).alpha, iph.cutout(scene(), click=(112, 60)).alpha)
    *_, note = client.predict(files["photo"], everybody=True, api_name="/cut_out")
    assert note == "Nobody was found in the photo: what stands out most was taken."


def test_the_edge_of_a_cut_out_moves_by_api(client, files):
    *box, edge = 0.1, 0.1, 0.9, 0.9, {"expand": -3, "smooth": 2, "feather": 1.5}
    person = client.predict(files["photo"], box=box, **edge, api_name="/cut_out")[0]
    expected = iph.cutout(scene(), box=(16, 12, 144, 108), edge=EdgeAdjustment(**edge))
    np.testing.assert_array_equal(read_photo(person).alpha, expected.alpha)
    with pytest.raises(AppError, match="Expected feather of an edge from 0 to 100 pixels, got -1"):
        client.predict(files["photo"], feather=-1, api_name="/cut_out")


def test_what_is_pasted_for_want_of_a_person_is_said(client, files):
    *_, note = client.predict(files["photo"], files["photo"], 0.5, 0.5, 0.5, api_name="/paste")
    assert note == "Nobody was found in the photo: what stands out most was taken."


def test_whether_the_person_was_pasted_is_said_to_the_network(client, files):
    arguments = {"reference_box": [0.05, 0.05, 0.3, 0.5], "api_name": "/harmonize"}
    region = np.zeros((120, 160), np.float32)
    region[6:60, 8:48] = 1
    for pasted, model in ((True, "portrait"), (False, "general")):
        photo, _, recipe = client.predict(files["photo"], files["mask"], pasted=pasted, **arguments)
        expected = iph.harmonize(scene(), disc(120, 160, 0.7) / np.float32(255), region, model=model)
        np.testing.assert_array_equal(read_photo(photo).pixels, expected.image)
        assert Recipe.load(recipe).model == model


def test_several_people_are_turned_and_replayed(client, files, tmp_path):
    turned, *_ = client.predict(files["photo"], files["person"], 0.7, 0.6, 0.5, False, 30.0, api_name="/paste")
    place = Placement(0.7, 0.6, 0.5, angle=30.0)
    person, beach = read_photo(tmp_path / "me.png"), read_photo(tmp_path / "beach.png")
    lower = Recipe(ColorMapping.identity(), None, placement=place)
    np.testing.assert_array_equal(read_photo(turned).pixels, lower.replay(beach, person).pixels)
    several = replace(lower, above=(replace(lower, placement=Placement(0.3, 0.5, 0.6, True)),))
    several.save(tmp_path / "two.json")
    asked = {"recipe": handle_file(tmp_path / "two.json"), "photo": files["photo"], "person": files["person"]}
    both = client.predict(**asked, above=[files["person"]], api_name="/replay")
    np.testing.assert_array_equal(read_photo(both).pixels, several.replay(beach, [person, person]).pixels)
    layers = PSDImage.open(client.predict(**asked, above=[files["person"]], api_name="/export_layers"))
    assert len(list(layers)) == 5
    with pytest.raises(AppError, match="pastes 2 people: .* were expected, from below, got 1"):
        client.predict(**asked, api_name="/replay")


def test_errors_are_sentences_for_callers_too(client, files):
    with pytest.raises(AppError, match="Expected strength from 0 to 2"):
        client.predict(files["photo"], files["mask"], strength=9, api_name="/harmonize")
    with pytest.raises(AppError, match="Expected a box"):
        client.predict(files["photo"], files["mask"], reference_box=[1, 2], api_name="/harmonize")
    with pytest.raises(AppError, match="Expected a point x, y in shares"):
        client.predict(files["photo"], x=0.5, api_name="/cut_out")
    with pytest.raises(AppError, match="Expected a point x, y in shares of the picture, from 0 to 1, got .1.7, -0.8"):
        client.predict(files["photo"], x=1.7, y=-0.8, api_name="/cut_out")
    with pytest.raises(AppError, match="box"):
        client.predict(files["photo"], box=[0.5, 0.5, 0.5, 0.5], api_name="/cut_out")
    with pytest.raises(AppError, match="Expected everybody, or a point or a box, got both"):
        client.predict(files["photo"], x=0.5, y=0.5, everybody=True, api_name="/cut_out")
    with pytest.raises(AppError, match="Expected an uploaded file, got 'beach.png'"):
        client.predict("beach.png", api_name="/cut_out")
    with pytest.raises(AppError, match="not JSON"):
        client.predict(files["photo"], 33, api_name="/export_cube")


def call(address, name, data):
    """One call by plain HTTP: the event's last line of data."""
    answer = PATIENT.post(f"{address}/gradio_api/call/{name}", json={"data": data})
    if answer.status_code != 200:
        return answer.text
    return PATIENT.get(f"{address}/gradio_api/call/{name}/{answer.json()['event_id']}").text


def test_addresses_and_other_files_of_the_server_are_refused(address, tmp_path):
    file = {"meta": {"_type": "gradio.FileData"}}
    for path in (f"{address}/config", "http://169.254.169.254/x", "file:///etc/passwd"):
        assert "fetches nothing" in call(address, "export_cube", [file | {"path": path}, 33]), path
    for path in ("file=/etc/passwd", f"file={Path(__file__)}", f"file={address}/config", "proxy=http://a.b/c"):
        assert PATIENT.get(f"{address}/gradio_api/{path}").status_code in (403, 404), path


def test_no_file_but_an_upload_is_read(address, tmp_path, files):
    """A private picture, a private recipe and a path to nothing get the very same sentence, however spelled."""
    photo, recipe = tmp_path / "private.png", tmp_path / "private.json"
    write(photo, scene())
    recipe.write_text('{"kind": "a secret"}')
    cache = Path(os.environ["GRADIO_TEMP_DIR"])
    (cache / "linked").mkdir()
    (cache / "linked" / "link.png").symlink_to(photo)
    (cache / "loose.png").write_bytes(photo.read_bytes())
    elsewhere = [
        photo,
        recipe,
        "/etc/passwd",
        tmp_path / "nothing.png",
        cache / "linked" / "link.png",
        cache / "loose.png",
    ]
    elsewhere += [f"{cache}/linked/../../{photo.name}", f"{cache}/a/../../..{photo}", "/dev/zero", "", ".", "a\0b"]
    sentences = set()
    for path in elsewhere:
        for meta in ({"meta": {"_type": "gradio.FileData"}}, {}):
            answer = call(address, "cut_out", [{"path": str(path), **meta}, None, None, None, False])
            assert "event: error" in answer and "secret" not in answer and "kind" not in answer, path
            sentences.add(answer)
            answer = call(address, "replay", [{"path": str(path), **meta}, {"path": str(path), **meta}, None])
            assert "event: error" in answer and "secret" not in answer, path
            sentences.add(answer)
    assert len(sentences) == 1 and "uploaded here or that this server gave out" in sentences.pop()


def test_the_pages_own_events_are_not_for_callers(address, client):
    assert "no such page" in call(address, "studio_save", [{}])
    assert PATIENT.get(f"{address}/monitoring").status_code == 404


def test_an_upload_that_is_too_large_is_refused(address):
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as line:
        head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: {host}\r\nContent-Length: {MAX_UPLOAD + (1 << 20)}\r\n\r\n"
        line.sendall(head.encode() + b"x" * 1000)
        assert line.recv(1000).startswith(b"HTTP/1.1 413")


def tool(address, recipe, **headers):
    """The result of the tool export_cube, called as an MCP client does."""
    text = "data:application/json;base64," + base64.b64encode(recipe.read_bytes()).decode()
    return called(address, "export_cube", {"recipe": text, "size": 17}, **headers)


def called(address, name, arguments, **headers):
    headers = {"Accept": "application/json, text/event-stream"} | headers
    call = {"name": name, "arguments": arguments}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    answer = PATIENT.post(f"{address}/gradio_api/mcp/", json=message, headers=headers, follow_redirects=True)
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith(("data: ", "{"))]
    result = json.loads(lines[-1])["result"]
    assert not result.get("isError"), result
    return result


def test_an_mcp_client_calls_with_a_data_text(address, recipe):
    assert ".cube" in json.dumps(tool(address, recipe))


def test_an_mcp_client_cuts_somebody_out(address, tmp_path):
    png = base64.b64encode(write(tmp_path / "photo.png", scene()).read_bytes()).decode()
    answer = called(address, "cut_out", {"photo": f"data:image/png;base64,{png}", "box": [0.1, 0.1, 0.9, 0.9]})
    told = json.dumps(answer)
    assert "-person.png" in told and "-mask.png" in told


def test_no_call_goes_round_the_queue(address, files):
    for path in ("run/export_cube", "run/export_cube/", "api/export_cube", "Run/export_cube"):
        answer = PATIENT.post(f"{address}/gradio_api/{path}", json={"data": [None, 33]})
        assert answer.status_code == 404, path


@pytest.fixture
def busy(monkeypatch):
    """The functions of the API wait until ``busy.set()``; ``busy.begun`` tells how many do."""
    gate = threading.Event()
    gate.begun = []
    quick = Recipe.load

    def wait(path):
        gate.begun.append(path)
        assert gate.wait(60)
        return quick(path)

    monkeypatch.setattr(Recipe, "load", wait)
    yield gate
    gate.set()


def soon(condition):
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "look.json"
    Recipe(iph.ColorMapping.identity(), None).save(path)
    return path


def test_calls_beyond_a_clients_share_are_refused_with_a_sentence(client, studio, busy, recipe, monkeypatch):
    monkeypatch.setattr(studio.limits.api.places, "per_client", 2)
    calls = [client.submit(handle_file(recipe), 17, api_name="/export_cube") for _ in range(2)]
    assert soon(lambda: studio.limits.api.places.taken == 2)
    with pytest.raises(AppError, match="from this address are still being done"):
        client.predict(handle_file(recipe), 17, api_name="/export_cube")
    busy.set()
    assert all("LUT_3D_SIZE 17" in Path(call.result(60)).read_text() for call in calls)


def test_calls_and_tools_and_pages_wait_for_their_own_kind_only(address, client, studio, busy, recipe, monkeypatch):
    call = client.submit(handle_file(recipe), 17, api_name="/export_cube")
    assert soon(lambda: busy.begun)
    monkeypatch.setattr(Recipe, "load", lambda path: Recipe(iph.ColorMapping.identity(), None))
    assert ".cube" in json.dumps(tool(address, recipe))
    page = httpx.Client(base_url=f"{address}/studio/", timeout=90)
    taken = page.post("session").json()
    event = {"request": "1" * 24, "page": "2" * 24, "event": "resume"}
    answer = page.post(f"session/{taken['session']}/event", json=event, headers={"X-Session-Key": taken["key"]})
    assert answer.json()["turn"] == 1
    busy.set()
    call.result(60)


def test_a_call_that_takes_too_long_is_told_so(client, studio, busy, recipe, monkeypatch):
    monkeypatch.setattr(studio.limits.api, "seconds", 0.3)
    with pytest.raises(AppError, match=r"longer than 0\.3 seconds"):
        client.predict(handle_file(recipe), 17, api_name="/export_cube")


def test_a_waiting_call_whose_caller_has_left_is_dropped(address, client, studio, busy, recipe):
    call = client.submit(handle_file(recipe), 17, api_name="/export_cube")
    assert soon(lambda: busy.begun)
    uploaded = PATIENT.post(f"{address}/gradio_api/upload", files={"files": recipe.read_bytes()}).json()[0]
    functions = PATIENT.get(f"{address}/config").json()["dependencies"]
    index = next(one["id"] for one in functions if one["api_name"] == "export_cube")
    data = [{"path": uploaded, "meta": {"_type": "gradio.FileData"}}, 17]
    asked = {"data": data, "fn_index": index, "session_hash": "hasty"}
    PATIENT.post(f"{address}/gradio_api/queue/join", json=asked).raise_for_status()
    with PATIENT.stream("GET", f"{address}/gradio_api/queue/data", params={"session_hash": "hasty"}):
        assert soon(lambda: studio.limits.api.places.taken == 2)
    assert soon(lambda: studio.limits.api.places.taken == 1)
    busy.set()
    call.result(60)
    assert len(busy.begun) == 1


def test_no_callers_headers_lead_the_others_elsewhere(address, recipe):
    with socket.socket() as elsewhere:
        elsewhere.bind(("127.0.0.1", 0))
        elsewhere.listen()
        elsewhere.settimeout(0.5)
        foreign = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
        for headers in ({"X-Gradio-Server": foreign}, {"Host": foreign.removeprefix("http://")}, {}):
            assert ".cube" in json.dumps(tool(address, recipe, **headers))
        with pytest.raises(TimeoutError):
            elsewhere.accept()
