"""How good and how private a synthetic table is: two or three tables in, an `Assessment` out.

Read `assessment.py` for what is said and `assessing.py` for the order in which it is found out; then `cells.py`, what
all measures look at, and `telling.py`, how exactly they may be told; the measures: `shapes.py`, `trends.py`,
`accuracy.py` with `counting.py`, `relations.py`, `validity.py`, `missing.py`, `detection.py`, `utility.py`,
`copies.py`, `id_like.py`, `distances.py`, `singling_out.py`, `inference.py`; `fidelity.py` and `privacy.py`, which set
them beside the hold-out's; last `verdict/` with `losses.py`, and `page/`.
"""
