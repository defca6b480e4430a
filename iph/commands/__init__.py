"""The command line: options in, sentences and exit codes out; the work is done by the rest of the package."""
