"""Runs the suite: plan, workers, progress, environment. It knows nothing of statistics and writes the bundle alone."""
