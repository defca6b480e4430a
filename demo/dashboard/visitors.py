"""Who looks at the dashboard: the study's owner at their own machine, or the public.

Raters may be among the public, so it sees no result of a study before that has ended, unless the owner says so: by
``live_results = true`` in the study file, or for all studies of a server by ``IPH_LIVE_RESULTS=1``.
"""

import os
from urllib.parse import urlsplit

import streamlit as st

LIVE = "IPH_LIVE_RESULTS"
LOCAL = {"localhost", "127.0.0.1", "::1"}
PROXIED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via")


def owner() -> bool:
    """Somebody at the machine that ``streamlit run demo/dashboard.py`` runs on, directly and under a local name.

    Inside another server (``app.py`` sets IPH_STUDIO) and behind a proxy everybody is the public: the address seen
    there is not the visitor's.
    """
    if os.environ.get("IPH_STUDIO"):
        return False
    headers, address = st.context.headers, st.context.ip_address
    try:
        host = urlsplit(f"//{headers.get('Host') or 'localhost'}").hostname
    except ValueError:
        return False
    straight = not any(headers.get(name) for name in PROXIED)
    return straight and host in LOCAL and (address is None or address in LOCAL)  # None is Streamlit's "this machine"


def shows_live_results() -> bool:
    """Whether this server shows everybody the results of studies that are under way."""
    return os.environ.get(LIVE, "").lower() in ("1", "true", "yes")
