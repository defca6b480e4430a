import streamlit as st

st.title("paper")
