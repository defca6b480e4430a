"""The voting page in trouble: lost connections, crashes, and server answers that come in any order."""

import pytest
from rater_hands import at, begin, choices, rater_of, ready, saved_choices, studies, unsaved

from userstudy.votes.reading import raw_votes

__all__ = ["studies"]  # a fixture

pytestmark = pytest.mark.browser
STUDIES_SERVED = ("both", "short", "slow", "checked")


def test_an_outage_loses_nothing(page, studies):
    study = studies.short
    rater_page = page(study.url)
    begin(rater_page, study.url)
    rater = rater_of(rater_page)
    rater_page.context.set_offline(True)
    for number in (1, 2):  # the next pairs are already here
        ready(rater_page, number)
        rater_page.keyboard.press("ArrowLeft")
    rater_page.wait_for_selector(".banner >> text=2 answers are not saved yet")  # after one for the first alone
    assert choices(study, rater) == []
    rater_page.context.set_offline(False)
    rater_page.wait_for_selector(".banner", state="hidden")  # with the first that is saved
    assert saved_choices(study, rater_page) == [(0, "left"), (1, "left")]


def test_an_answer_that_the_browser_never_heard_back_of_is_sent_again_after_a_crash(page, studies):
    study = studies.short
    rater_page = page(study.url)
    begin(rater_page, study.url)
    rater, tries = rater_of(rater_page), []

    def swallow(route):
        tries.append(route)
        if len(tries) == 1:  # its later tries go nowhere
            route.fetch()
        route.abort()

    rater_page.route("**/api/vote", swallow)
    rater_page.keyboard.press("ArrowLeft")
    rater_page.wait_for_selector(".banner:not([hidden])")
    assert choices(study, rater) == [(0, "left")]  # stored, but not acknowledged
    rater_page.goto("about:blank")  # as far as the page can tell, a crash
    rater_page.unroute_all(behavior="ignoreErrors")
    rater_page.goto(study.url)
    ready(rater_page, 2)
    raw = raw_votes(study.store, study.row)
    assert raw[raw["rater"] == rater]["choice"].tolist() == ["left"]


def enabled_answers(page) -> int:
    return page.locator(".answers button:not([disabled])").count()


def press_everything(page) -> None:
    """All that a hasty hand can do to a trial: every key, and every answer whose button is alive."""
    for key in ("ArrowLeft", "ArrowRight", "ArrowDown", "0", "Space", "Enter", "1"):
        page.keyboard.press(key)
    page.evaluate("for (const one of document.querySelectorAll('.answers button')) one.click()")


def test_answers_given_while_the_server_ends_the_session(page, studies):
    """Checks failed, and the next answer on its way: the server refuses it while the rater goes on pressing keys."""
    rater_page, votes, study_asked = page(studies.checked.url), [], []
    begin(rater_page, studies.checked.url)
    number = 1
    while not rater_page.is_visible(".note"):
        rater_page.keyboard.press("ArrowLeft")
        number += 1
        ready(rater_page, number)
    unsaved(rater_page, 0)
    rater_page.route("**/api/vote", lambda route: votes.append(route))
    rater_page.route("**/api/study", lambda route: study_asked.append(route))
    wrong = "ArrowLeft" if "picture B" in rater_page.inner_text(".note") else "ArrowRight"
    for key in (wrong, "ArrowLeft"):
        rater_page.keyboard.press(key)
        number += 1
        ready(rater_page, number)
    for left in (1, 0):  # taken; refused
        while not votes:
            rater_page.wait_for_timeout(20)
        votes.pop().continue_()
        unsaved(rater_page, left)
    while not study_asked:
        rater_page.wait_for_timeout(20)
    press_everything(rater_page)
    rater_page.unroute("**/api/vote")
    study_asked.pop().continue_()
    at(rater_page, "end")
    assert rater_page.inner_text(".code output") == "C-FAIL"
    given = saved_choices(studies.checked, rater_page)
    assert len(given) == number - 2  # neither the refused answer nor those of the hasty hand


def test_an_undo_before_the_answers_open_keeps_them_shut(page, studies):
    study, undos = studies.slow, []
    rater_page = page(study.url)
    begin(rater_page, study.url)
    rater_page.keyboard.press("ArrowLeft")
    rater_page.route("**/api/undo", lambda route: undos.append(route))
    rater_page.wait_for_selector(".tools [data-do=undo]:not([disabled])")
    rater_page.keyboard.press("u")
    rater_page.wait_for_timeout(2000)  # more than the viewing time of the pair that was left
    assert enabled_answers(rater_page) == 0
    press_everything(rater_page)
    undos.pop().continue_()
    ready(rater_page, 1)
    rater_page.keyboard.press("ArrowRight")
    ready(rater_page, 2)
    assert saved_choices(study, rater_page) == [(0, "right")]


TRIES = """() => {
  const honest = window.fetch;
  window.tries = [];
  window.fetch = (address, options) => {
    if (!String(address).endsWith("api/vote")) return honest(address, options);
    window.tries.push(performance.now());
    return ANSWER;
  };
}"""


@pytest.mark.parametrize("answer", ["Promise.reject(TypeError())", "Promise.resolve(new Response('<html>'))"])
def test_tries_in_an_outage_are_further_and_further_apart(page, studies, answer):
    rater_page = page(studies.short.url)
    begin(rater_page, studies.short.url)
    rater_page.evaluate(TRIES.replace("ANSWER", answer))
    rater_page.keyboard.press("ArrowLeft")
    rater_page.wait_for_function("tries.length >= 3")
    first, second, third = rater_page.evaluate("tries.slice(0, 3)")
    assert second - first > 900 and third - second > 1900  # milliseconds


FOREIGN = {
    "a sign-in page": (200, "<html>Sign in to the Wi-Fi</html>"),
    "an app without the study": (404, '{"detail": "Not Found"}'),
    "a proxy": (403, '{"error": "login required"}'),
    "a proxy with codes of its own": (403, '{"code": "forbidden", "message": "login required"}'),
    "an empty yes": (200, "{}"),
}


@pytest.mark.parametrize(("status", "body"), FOREIGN.values(), ids=FOREIGN)
def test_an_answer_that_is_not_the_servers_does_not_count(page, studies, status, body):
    study = studies.short
    rater_page = page(study.url)
    begin(rater_page, study.url)
    rater_page.route("**/api/vote", lambda route: route.fulfill(status=status, body=body))
    for number, key in enumerate(("ArrowLeft", "ArrowRight"), 1):
        ready(rater_page, number)
        rater_page.keyboard.press(key)
    ready(rater_page, 3)
    rater_page.wait_for_selector(".banner >> text=2 answers are not saved yet")
    unsaved(rater_page, 2)
    rater_page.unroute("**/api/vote")
    rater_page.wait_for_selector(".banner", state="hidden")
    assert saved_choices(study, rater_page) == [(0, "left"), (1, "right")]


@pytest.mark.parametrize(("status", "body"), FOREIGN.values(), ids=FOREIGN)
def test_a_page_that_opens_before_its_study_waits_for_it(page, studies, status, body):
    rater_page = page()
    rater_page.route("**/api/study", lambda route: route.fulfill(status=status, body=body))
    rater_page.goto(studies.short.url)
    at(rater_page, "end")
    assert "tries again by itself" in rater_page.inner_text(".reason")
    rater_page.unroute("**/api/study")
    at(rater_page, "consent")


def test_an_answer_that_another_tab_was_quicker_with_is_not_lost_without_a_word(page, studies):
    study = studies.short
    rater_page = page(study.url)
    begin(rater_page, study.url)
    other = rater_page.context.new_page()
    other.goto(study.url)
    ready(other, 1)
    rater_page.keyboard.press("ArrowLeft")
    ready(rater_page, 2)
    unsaved(rater_page, 0)
    other.keyboard.press("ArrowRight")
    other.wait_for_selector(".missed >> text=One answer was not taken: another tab or device was quicker")
    ready(other, 2)
    assert other.is_visible(".missed")  # the pictures that came meanwhile did not wipe it away
    other.keyboard.press("ArrowDown")
    ready(other, 3)
    assert other.is_hidden(".missed")
    assert saved_choices(study, other) == [(0, "left"), (1, "tie")]


def test_an_answer_that_the_server_finds_invalid_is_not_lost_without_a_word(page, studies):
    study = studies.short
    rater_page = page(study.url)
    begin(rater_page, study.url)
    rater_page.route("**/api/vote", lambda route: route.continue_(post_data={"trial": "zero"}), times=1)
    rater_page.keyboard.press("ArrowLeft")
    rater_page.wait_for_selector(".missed >> text=One answer was not taken: body.request_id: Field required")
    ready(rater_page, 1)
    rater_page.keyboard.press("ArrowRight")
    ready(rater_page, 2)
    assert saved_choices(study, rater_page) == [(0, "right")]


@pytest.mark.parametrize("crash", [False, True])
def test_a_study_that_closes_says_how_many_answers_came_too_late(page, studies, crash):
    study = studies.slow
    rater_page = page(study.url)
    begin(rater_page, study.url)
    rater_page.context.set_offline(True)
    for number in (1, 2):
        ready(rater_page, number)
        rater_page.keyboard.press("ArrowLeft")
    unsaved(rater_page, 2)
    study.store.set_state(study.row.id, "close")
    try:
        if crash:
            rater_page.goto("about:blank")
        rater_page.context.set_offline(False)
        if crash:
            rater_page.goto(study.url)
        rater_page.wait_for_selector(".missed >> text=2 answers were not taken: the study is closed")
        at(rater_page, "end")
        assert "closed" in rater_page.inner_text("[data-stage=end] h2") and rater_page.is_visible(".missed")
    finally:
        study.store.set_state(study.row.id, "open")


def test_a_browser_that_stores_nothing_still_votes(page, studies):
    study = studies.short
    rater_page = page()
    rater_page.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }"
    )
    rater_page.goto(study.url)
    begin(rater_page, study.url)
    for number in (1, 2, 3):
        ready(rater_page, number)
        rater_page.keyboard.press("ArrowLeft")
    at(rater_page, "end")
    assert rater_page.inner_text(".code output") == "C-DONE"


def test_pictures_that_are_slow_to_arrive_are_asked_for_again(page, studies):
    study = studies.short
    rater_page, failed = page(), []

    def fail_at_first(route):
        if len(failed) < 8:
            failed.append(route)
            route.abort()
        else:
            route.continue_()

    rater_page.route("**/api/picture/**", fail_at_first)
    rater_page.goto(study.url)
    begin(rater_page, study.url)
    assert len(failed) == 8 and rater_page.locator(".pane.loading").count() == 0


STORM = """
window.calm = !sessionStorage.getItem("stormy");
const chance = (() => { let state = SEED; return () => (state = (state * 48271) % 2147483647) / 2147483647; })();
const pause = () => window.calm ? null : new Promise((resolve) => setTimeout(resolve, 60 * chance()));
const honest = window.fetch;
window.fetch = async (address, options) => {
  if (!/api\\/(study|progress|vote|undo)$/.test(address)) return honest(address, options);
  await pause();
  if (!window.calm && chance() < 0.1) throw new TypeError("lost on the way there");
  const answer = await honest(address, options);
  await pause();
  if (!window.calm && chance() < 0.1) throw new TypeError("lost on the way back");
  if (answer.ok && options.body) {
    const heard = JSON.parse(sessionStorage.getItem("heard") || "[]");
    sessionStorage.setItem("heard", JSON.stringify([...heard, JSON.parse(options.body).request_id]));
  }
  return answer;
};
window.storm = async (steps) => {
  for (let step = 0; step < steps; step += 1) {
    const what = chance();
    const living = [...document.querySelectorAll("#study button")].filter((one) =>
      one.checkVisibility() && !one.disabled && ["undo", "start", "retry", "rank", undefined].includes(one.dataset.do));
    const keys = ["ArrowLeft", "ArrowRight", "ArrowDown", "0", " ", "1", "2", "Enter", "u"];
    if (what < 0.1) window.dispatchEvent(new Event("online"));
    else if (what < 0.5) living[Math.floor(living.length * chance())]?.click();
    else {
      const key = keys[Math.floor(keys.length * chance())];
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    }
    await pause();
  }
};
"""


@pytest.mark.parametrize("seed", [11, 12])
def test_a_storm_of_keys_reloads_and_lost_answers(page, studies, seed):
    """Whatever comes in whatever order: no error in the page, no acknowledged answer lost, and a session that ends."""
    study = studies.both
    rater_page = page()
    rater_page.add_init_script(STORM.replace("SEED", str(seed)))
    rater_page.goto(study.url)
    begin(rater_page, study.url)
    rater = rater_of(rater_page)
    rater_page.evaluate("sessionStorage.setItem('stormy', 1)")
    for _ in range(3):
        rater_page.reload()
        rater_page.wait_for_function("['trial', 'end'].includes(document.querySelector('[data-at]')?.dataset.at)")
        rater_page.evaluate("storm(60)")
    rater_page.evaluate("sessionStorage.removeItem('stormy')")
    rater_page.reload()
    code = "document.querySelector('.code output')?.textContent"
    while not rater_page.evaluate(code):
        rater_page.keyboard.press("Space")
        rater_page.wait_for_timeout(50)
    assert rater_page.inner_text(".code output") == "C-DONE"
    raw = raw_votes(study.store, study.row)
    raw = raw[raw["rater"] == rater]
    heard = rater_page.evaluate("JSON.parse(sessionStorage.getItem('heard') || '[]')")
    assert heard and set(heard) <= set(raw["request_id"])
    for _, rows in raw.groupby("trial"):
        undone = (rows.sort_values("revision")["choice"] == "undone").tolist()
        assert undone == [at % 2 == 1 for at in range(len(undone))]  # an answer, taken back, an answer, …
        assert not undone[-1]
    assert raw["trial"].nunique() == 7
