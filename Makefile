# Verbs of the project; CI runs the same ones. Python 3.11, PyPI and Debian packages only.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
export GRADIO_ANALYTICS_ENABLED := False

.PHONY: setup browser demo test hosting-test cluster fuzz lint lock audit bench-speed dashboard

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

# Three at a time, a file each: many tests wait for a browser or a clock. In the order of the folders, so that short files
# come last and no process is left alone with a long one.
test: setup browser
	$(RUN) -m ruff check .
	$(RUN) -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder -m "not hosting and not cluster"

# Three replicas behind nginx, killed and restarted under load; and the container's tree, started without an engine.
hosting-test: setup browser
	$(RUN) -m pytest -q -m hosting tests/demo/hosting
	deploy/try-without-containers "$$($(RUN) -c 'import site; print(site.getsitepackages()[0])')"

# Two nodes of this machine, for bench on Ray and for training by torchrun; one is killed in mid-run.
cluster: setup
	$(RUN) -m pip install -q --disable-pip-version-check ray==2.56.0
	$(RUN) -m pytest -q -m cluster tests/bench tests/iph

# Some minutes of damaged files for every reader; a few of them are tried in every `make test`.
fuzz: setup
	FUZZ_EXAMPLES=1500 $(RUN) -m pytest -q tests/fuzz

lint: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

# What a server installs, with the hashes of its files (docs/security.md): everything but torch.
lock: setup
	$(RUN) -m pip install -q --disable-pip-version-check uv==0.13.9
	$(RUN) -m uv pip compile requirements-onnx.txt --python-version 3.11 --universal --generate-hashes \
		--no-annotate --no-header -q -o deploy/requirements.lock

# Known vulnerabilities of what is locked; asks PyPI.
audit: setup
	$(RUN) -m pip install -q --disable-pip-version-check pip-audit==2.10.1
	$(RUN) -m pip_audit -r deploy/requirements.lock --no-deps --disable-pip

bench-speed: setup
	$(RUN) -m bench.speed_iph

dashboard: setup
	$(VENV)/bin/streamlit run demo/dashboard.py
