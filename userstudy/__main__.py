"""``python -m userstudy``; see ``userstudy.cli``."""

from userstudy.cli import main

main()
