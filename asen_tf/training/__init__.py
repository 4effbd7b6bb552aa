"""Training: stages are data, one loop runs them all."""
