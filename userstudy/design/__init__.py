"""The first step of a study: its file, its pictures, who sees what, and how many raters it needs."""
