"""``python -m bench``."""

from bench.commands.app import main

if __name__ == "__main__":
    main()
