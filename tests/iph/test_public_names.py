"""What ``import iph`` offers: imported when it is first used, so that a command line's help comes at once."""

import importlib
import subprocess
import sys

import pytest

import iph


def test_every_public_name_is_there_and_is_the_modules_own():
    assert set(iph.__all__) <= set(dir(iph))
    assert iph.harmonize is importlib.import_module("iph.harmonizer").harmonize
    assert iph.ColorMapping is importlib.import_module("iph.mapping").ColorMapping
    assert [getattr(iph, name).__name__ for name in iph.__all__] == iph.__all__


def test_submodules_are_there_and_other_names_are_not():
    script = "import iph; iph.network.build('small'); iph.masks.as_mask; print(hasattr(iph, 'harmonise'))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "False\n"
    with pytest.raises(AttributeError, match="'iph' has no attribute 'harmonise'"):
        iph.harmonise  # noqa: B018


def test_help_does_not_wait_for_torch():
    script = "import sys, iph, iph.commands.app; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "False\n"
