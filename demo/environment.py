"""Defaults of libraries, for the environment: imported before anything that reads them."""

import os
import sys
import tempfile

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
try:
    # A folder of our own, so that what is old in it can be deleted.
    os.environ.setdefault("GRADIO_TEMP_DIR", f"{tempfile.gettempdir()}/iph-gradio-{os.getuid()}")
except FileNotFoundError:
    sys.exit("expected a folder for temporary files that can be written, in TMPDIR or as /tmp, got none")
# Visitors share the cores: few threads a request, and none that spins while it waits for another (20 times slower).
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
