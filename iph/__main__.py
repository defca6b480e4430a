"""``python -m iph``: harmonize photos, build data sets, train, and look at weights from the command line."""

import os

from iph.commands.app import main

# Threads that spin while they wait for each other slow a busy machine down many times. Read when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if __name__ == "__main__":
    main()
