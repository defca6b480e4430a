"""The board as files for any web host: pages that read without scripts, and the data behind each table."""
