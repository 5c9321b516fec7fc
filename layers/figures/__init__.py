"""Figures made from layers: coverage, hotspots, density, workload, each by its rule and with its provenance."""
