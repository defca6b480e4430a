"""The dashboard's pages and what they share. Each page is a script that Streamlit runs from top to bottom."""
