"""What people preferred: scores with intervals, who was compared how often, who voted how, live while a study runs."""

import streamlit as st

from demo.dashboard import live, study_metrics, study_pairs, study_raters, study_scores, theme
from demo.dashboard.address import choose
from userstudy.errors import InputError
from userstudy.votes.vote_source import SORTS

VIEWS = {
    "scores": study_scores.view,
    "pairs": study_pairs.view,
    "raters": study_raters.view,
    "rankings": study_scores.rankings,
    "time": study_raters.over_time,
    "metrics": study_metrics.view,
}
TITLES = {
    "scores": "Scores",
    "pairs": "Pairs",
    "raters": "Raters",
    "rankings": "Rankings",
    "time": "Votes over time",
    "metrics": "Metrics against people",
}
PEOPLE = {"real": "people", "simulated": "simulated raters"}
FORWARD = (
    "IPH_STUDY names a study file, a vote store's URL, or a file that `python -m userstudy export` wrote; the "
    "dashboard reads it when it starts. `python -m userstudy create` begins a study."
)


def page() -> None:
    theme.heading(
        "User study",
        "Blind comparisons of the same pictures, placed on one scale, with everything that a reviewer asks about them.",
    )
    if live.named() is None:
        st.info(f"No study is shown here yet. {FORWARD}", icon=":material/info:")
        return
    try:
        watched = _choose()
    except live.Withheld as error:
        st.info(theme.sentence(f"T{str(error)[1:]}"), icon=":material/lock:")
        return
    except InputError as error:
        st.warning(f"{theme.sentence(error)} {FORWARD}", icon=":material/info:")
        st.button("Try again")
        return
    _keep_up(watched)
    if watched.about is None:
        if not watched.busy:
            said = theme.sentence(watched.failed[1] or "There are no votes to score yet")
            st.info(f"{said} The page looks again by itself.", icon=":material/info:")
        return
    with st.container():  # one place, whatever stood there before
        _stand(watched)
    view = choose("View", list(VIEWS), "part", title=TITLES.get, buttons=True, label_visibility="collapsed")
    VIEWS[view](watched)


def _choose() -> live.Watched:
    names = live.study_names()
    left, right = st.columns([3, 1])
    with left:
        study = choose("Study", names, "study")
    first = live.wait_for(study, None, 0.3)
    there = [sort for sort in SORTS if first.about and first.about["answers"][sort]]
    with right:
        sort = choose("Votes of", there or [SORTS[0]], "votes", title=PEOPLE.get, disabled=len(there) < 2)
    return first if not there or sort == first.about["sort"] else live.wait_for(study, sort, 0.3)


def _keep_up(watched: live.Watched) -> None:
    """Looks for new votes while somebody looks at the page, and takes the new scores."""
    seen, ended = watched.fingerprint, watched.ended

    def look_again() -> None:
        try:
            now = live.watch(watched.study, watched.sort)
        except InputError as error:
            st.caption(f":material/sync_problem: {theme.sentence(error)} The page tries again by itself.")
            return
        if now.fingerprint != seen or now.ended != ended:
            st.rerun()
        if now.about is None and now.busy:
            st.caption(":material/hourglass_top: The votes are being scored …")
        elif now.about is not None:
            state = "new votes are being scored" if now.busy else "follows new votes by itself"
            st.caption(f":material/sensors: Scored {now.about['prepared'][:16].replace('T', ' ')} UTC, {state}.")

    theme.repeated(2.0 if watched.about else 0.5, look_again)


def _stand(watched: live.Watched) -> None:
    """Whose votes these are, how many, and what must stand beside any score."""
    about = watched.about
    if about["sort"] == "simulated":
        st.warning("**Simulated votes.** No person saw these pictures; the numbers show what a study would look like.")
    tally = about["scores"]["pairs"] and about["scores"]["pairs"]["tally"]
    with st.container(horizontal=True):
        if tally:
            st.metric("Decisive votes", f"{tally['decisive']:,}", border=True)
            st.metric("Ties, both bad, skipped", f"{tally['ties'] + tally['both_bad'] + tally['skips']:,}", border=True)
            st.metric("Raters", f"{tally['raters']:,}", border=True)
            st.metric("Pictures", f"{tally['items']:,}", border=True)
        ranked = about["scores"]["rankings"]
        if ranked:
            st.metric("Rankings", f"{ranked['trials']:,}", border=True)
    theme.notes([note for note in about["scores"]["notes"] if not note.startswith("All votes are simulated")])


page()
