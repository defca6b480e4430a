"""The benchmark: data sets, methods, metrics, a runner that resumes, and tables with intervals."""
