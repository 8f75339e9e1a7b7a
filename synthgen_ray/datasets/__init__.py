"""Tables: an uploaded file becomes a canonical Parquet file and a schema, a table becomes a file.

Read `reading` (file in, canonical file out), then `csv_reading` with `csv_scan`, `text_typing`
and `text_dates`, or `parquet_reading`; then `inference` with `pii`; at last `writing`.
"""
