"""``python -m demo.vote STUDY.toml``; see ``demo.vote.page``."""

from demo.vote.page import main

if __name__ == "__main__":
    main()
