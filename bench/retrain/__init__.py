"""The compared networks and the paper's ablation (Table 3), trained by our trainer on equal terms, as a queue."""
