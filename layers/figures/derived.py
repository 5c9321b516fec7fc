"""Derived layers: figures made from the layers of the store, each with its provenance. What pages, exports and the
command line call."""

from .cameras import CameraFilter
from .coverage import coverage
from .coverage_result import CoverageResult
from .density import DensityResult, density
from .hotspots import HotspotResult, hotspots

__all__ = ["CameraFilter", "CoverageResult", "DensityResult", "HotspotResult", "coverage", "density", "hotspots"]
