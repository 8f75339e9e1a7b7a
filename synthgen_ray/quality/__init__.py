"""How good and how private a synthetic table is: two or three tables in, an `Assessment` out.

Read `assessment.py` for what is said, `assessing.py` for the order in which it is found out.
"""

from synthgen_ray.quality.assessing import assess
from synthgen_ray.quality.assessment import Assessment, Estimate
from synthgen_ray.quality.estimating import estimate

__all__ = ["Assessment", "Estimate", "assess", "estimate"]
