# Verbs of the project; CI runs the same ones. Python 3.11, PyPI and Debian packages only.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
export GRADIO_ANALYTICS_ENABLED := False

.PHONY: setup browser demo test lint bench-speed dashboard

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.txt requirements-dev.txt
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	touch $@

# Chromium and PostgreSQL for the tests, from Debian; nothing to do where they are there already.
browser:
	@.ci/system-packages

demo: setup
	$(RUN) app.py

test: setup browser
	$(RUN) -m ruff check .
	$(RUN) -m pytest -q

lint: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

bench-speed: setup
	$(RUN) -m bench.speed_iph

dashboard: setup
	$(VENV)/bin/streamlit run demo/dashboard.py
