"""The dashboard: ``streamlit run demo/dashboard.py``, or ``st.App("demo/dashboard.py")`` inside another server.

It reads what ``bench`` and ``userstudy`` wrote and writes nothing of it. IPH_RESULTS names the results folder (default:
``results`` in the project), IPH_STUDY a study file, a vote store's URL or a file of votes, IPH_DATA a folder that holds
data sets by name, for their pictures. IPH_STUDIO, which ``app.py`` sets, is the
studio's address, for a link.

Results of a study that is under way are for its owner at their own machine, unless the study file (``live_results``) or
IPH_LIVE_RESULTS=1 says otherwise: ``demo/dashboard/visitors.py``.
"""

import os
import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # streamlit puts the script's own folder there, not the project's
    sys.path.append(str(ROOT))

PAGES = [
    ("leaderboard", "Leaderboard", ":material/leaderboard:"),
    ("paper", "Paper tables", ":material/menu_book:"),
    ("explorer", "Explorer", ":material/photo_library:"),
    ("speed", "Speed", ":material/speed:"),
    ("study", "User study", ":material/how_to_vote:"),
]

st.set_page_config(
    "Portrait harmonization: benchmark and user study", str(ROOT / "demo/dashboard/icon.png"), layout="wide"
)
pages = [
    st.Page(f"dashboard/{name}.py", title=title, icon=icon, url_path=name if number else "start", default=number == 0)
    for number, (name, title, icon) in enumerate(PAGES)
]


def leaderboard() -> None:
    """Streamlit serves the first page at the root alone; who asks for it by name gets there, choices included."""
    st.switch_page(pages[0], query_params=st.query_params.to_dict())


alias = st.Page(leaderboard, url_path="leaderboard", visibility="hidden")
# Plotly's tools lie over the legend on a phone, where a chart is looked at and not zoomed.
st.html(
    "<style>.stMainBlockContainer { padding-top: 3.5rem; }"
    " @media (max-width: 640px) { .js-plotly-plot .modebar { display: none; } }</style>"
)
st.navigation([*pages, alias], position="top").run()
if studio := os.environ.get("IPH_STUDIO"):
    st.caption(f"[To the studio]({studio})")
