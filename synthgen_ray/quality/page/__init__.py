"""An `Assessment` as one HTML file that opens anywhere: no script, nothing to load.

Read `rendering.py`, then `templates/page.html` from top to bottom; a chart is a function of its own file.
"""

from synthgen_ray.quality.page.about import About
from synthgen_ray.quality.page.rendering import render

__all__ = ["About", "render"]
