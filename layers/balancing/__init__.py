"""Evener grids: how the work lies now, and plans that a draft can take over."""
