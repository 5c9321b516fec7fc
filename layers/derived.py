"""Derived layers: figures made from the layers of the store, each with its provenance. What pages, exports and the
command line call."""

from .cameras import CameraFilter
from .coverage import CoverageResult, coverage

__all__ = ["CameraFilter", "CoverageResult", "coverage"]
