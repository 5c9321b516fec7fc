"""Rows of a file become rows of a layer, or findings and nothing else."""
