"""Layers, figures and drafts as files that carry where they came from."""
