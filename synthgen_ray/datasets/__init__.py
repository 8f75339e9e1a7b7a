"""Tables: an uploaded file becomes a canonical Parquet file and a schema, a table becomes a file.

Read `reading` (file in, canonical file out) with `formats` and `limits`; for CSV `csv_reading`,
`csv_header`, `csv_scan`, then `text_typing`, `number_text` and `text_dates` with `date_guessing` and `date_formats`;
for Parquet `parquet_reading` and `canonical`; then `inference` with `pii`, and `corrections` with `retyping`; at last
`writing` with `datetime_text`.
The service asks `converter` for all that: it has it done by `sandbox`, in a process of its own that `nursery` provides.
Tables of elsewhere come by `fetching`, the way there is `storage`.
"""
