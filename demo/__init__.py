"""Every screen of the project: the studio, the voting page and the dashboard. No method lives here."""
