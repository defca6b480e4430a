"""The last step: everything a study says, for people, programs and the dashboard."""
