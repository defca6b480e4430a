"""Photos as files: every format read and written with its profile, metadata, depth and alpha."""
