"""From result rows to tables: boards with intervals and ranks, and the forms in which they are printed and shown."""
