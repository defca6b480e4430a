"""Photos in, training composites out: augmentations, builders and loaders (paper Sec. 3 and Appendix)."""
