"""``python -m iph``: harmonize photos, build data sets, train, and look at weights from the command line."""

from iph.commands.app import main

if __name__ == "__main__":
    main()
