"""The example of each answer, for the OpenAPI page. They tell one story: a bank and its transactions."""

from typing import Any

PROJECT_ID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
DATASET_ID = "3b241101-e2bb-4255-8caf-4136c566a962"
VERSION_ID = "b7d1d1a4-3c5e-4b8e-9d6f-2a1f0c9e8d7a"
MODEL_ID = "9a1f3c0e-5d27-4c57-8a3b-0f5f6d1c2e4b"
JOB_ID = "c56a4180-65aa-42ec-a945-5fd21dec0538"
BACKGROUND_ID = "f47ac10b-58cc-4372-a567-0e02b2c3d479"
ARTIFACT_ID = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
CREATED_AT = "2026-02-25T10:00:00Z"

PROJECT = {"id": PROJECT_ID, "name": "Bank", "description": "Card payments", "created_at": CREATED_AT}
COLUMN = {
    "name": "amount",
    "kind": "float",
    "nullable": True,
    "unique": False,
    "cardinality": 8121,
    "pii": None,
    "format": None,
}
KEY_ID = "2c1d43b8-e6d7-4b87-8f4c-3f0a9e1b7d55"
USAGE = {
    "generated_rows": 1250000,
    "training_seconds": 412.5,
    "storage_bytes": 402113,
    "pending_jobs": 0,
    "quotas": {"pending_jobs": 100, "storage_bytes": None, "generated_rows": None, "training_seconds": None},
}
KEY_CREATE = {"name": "nightly", "role": "editor", "project_ids": [PROJECT_ID], "expires_at": "2030-01-01T00:00:00Z"}
KEY = {
    "id": KEY_ID,
    "name": "nightly",
    "role": "editor",
    "project_ids": [PROJECT_ID],
    "created_at": CREATED_AT,
    "expires_at": "2030-01-01T00:00:00Z",
}
KEY_CREATED = {**KEY, "key": "sg_5mYVb0w8sQ2t3rXc7ZkQpJ9nH1dL4fA6eB8gU0iO2yE"}
AUDIT_EVENT = {
    "number": 1207,
    "at": "2026-02-25T10:00:00.123456+00:00",
    "action": "model.create",
    "object_id": MODEL_ID,
    "project_id": PROJECT_ID,
    "key_id": KEY_ID,
    "request_id": "5d1c9a3f0e6b4c2d8a7f9b1e3c5d7f90",
    "address": "10.0.0.7",
    "previous": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "hash": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
}
LIMITS = {
    "request": {
        "url_bytes": 8192,
        "headers": 100,
        "headers_bytes": 16384,
        "idempotency_key_chars": 255,
        "json_bytes": 1048576,
        "json_depth": 32,
        "json_keys": 1000,
    },
    "rate": {
        "requests_per_second": 20.0,
        "burst": 40,
        "open_requests": 50,
        "event_streams": 10,
        "wrong_keys_per_minute": 5,
    },
    "upload": {
        "max_bytes": 536870912,
        "max_decoded_bytes": 2147483648,
        "max_rows": 10000000,
        "max_columns": 1000,
        "max_cell_bytes": 1048576,
    },
    "generate": {
        "max_rows": 10000000,
        "max_bytes": 68719476736,
        "max_chunk_bytes": 536870912,
        "max_conditions": 100,
        "max_any_of": 1000,
        "max_values": 10_000,
    },
    "sample": {"max_rows": 100000},
}
WARNING = {
    "code": "missing_values",
    "message": "12 cells of column 'income' are `NA` or blank and were read as missing.",
}
UPLOAD = {
    "id": DATASET_ID,
    "dataset_id": DATASET_ID,
    "dataset_version_id": VERSION_ID,
    "version": 0,
    "artifact_id": ARTIFACT_ID,
    "num_rows": 32561,
    "num_columns": 1,
    "columns": [COLUMN],
    "warnings": [WARNING],
}
DATASET = {
    "id": DATASET_ID,
    "project_id": PROJECT_ID,
    "name": "payments",
    "description": "",
    "dataset_version_id": VERSION_ID,
    "version": 0,
    "num_rows": 32561,
    "num_columns": 15,
    "size_bytes": 402113,
    "created_at": CREATED_AT,
}
VERSION = {
    "id": VERSION_ID,
    "dataset_id": DATASET_ID,
    "version": 0,
    "num_rows": 32561,
    "num_columns": 1,
    "size_bytes": 402113,
    "columns": [COLUMN],
    "warnings": [WARNING],
    "created_at": CREATED_AT,
}
VERSION_ITEM = {name: value for name, value in VERSION.items() if name not in ("columns", "warnings")}
MODEL_CREATE = {
    "project_id": PROJECT_ID,
    "dataset_version_id": VERSION_ID,
    "name": "Transactions",
    "model_type": "ctgan",
    "config": {"epochs": 300, "batch_size": 500},
}
MODEL_ACCEPTED = {
    "id": MODEL_ID,
    "model_id": MODEL_ID,
    "job_id": BACKGROUND_ID,
    "synthgen_job_id": JOB_ID,
    "status": "pending",
}
MODEL_IMPORTED = {"id": MODEL_ID, "model_id": MODEL_ID, "model_type": "ctgan", "status": "ready"}
MODEL_ITEM = {
    "id": MODEL_ID,
    "name": "Transactions",
    "model_type": "ctgan",
    "status": "ready",
    "dataset_name": "payments",
    "dataset_version": 0,
    "created_at": CREATED_AT,
}
MODEL = {
    **MODEL_ITEM,
    "project_id": PROJECT_ID,
    "config": {"epochs": 300, "batch_size": 500},
    "dataset_id": DATASET_ID,
    "quality": {"column_shapes": 0.981, "pair_trends": 0.957},
}
MODEL_JOB = {"id": JOB_ID, "job_type": "train", "status": "completed", "created_at": CREATED_AT}
MODEL_DETAIL = {"model": MODEL, "jobs": [MODEL_JOB]}
MODEL_DELETED = {"ok": True, "model_id": MODEL_ID}
GENERATE = [
    {"num_rows": 1000, "seed": 42},
    {"num_rows": 100, "conditions": {"income": ">50K", "age": {"min": 30, "max": 40}}, "format": "parquet"},
]
ROWS = [{"age": 34, "income": ">50K", "opened": "2019-05-02"}, {"age": 51, "income": "<=50K", "opened": None}]
SAMPLE = [{"num_rows": 100, "seed": 42}, {"num_rows": 10, "conditions": {"income": ">50K"}}]
IMPUTE = [{"dataset_version_id": VERSION_ID, "seed": 42, "format": "parquet"}]
GENERATE_ACCEPTED = {"job_id": BACKGROUND_ID, "synthgen_job_id": JOB_ID, "status": "pending"}
JOB_ITEM = {
    "id": JOB_ID,
    "model_id": MODEL_ID,
    "model_name": "Transactions",
    "model_type": "ctgan",
    "job_type": "generate",
    "status": "completed",
    "config": {
        "num_rows": 1000,
        "seed": 42,
        "conditions": {},
        "distribution": {},
        "format": "csv",
        "csv_safe": False,
    },
    "created_at": CREATED_AT,
    "error": None,
}
JOB_DETAIL = {
    **JOB_ITEM,
    "project_name": "Bank",
    "output_artifact_id": ARTIFACT_ID,
    "background_job_id": BACKGROUND_ID,
    "progress": 1.0,
    "message": "",
    "losses": {},
    "cancelled": False,
    "result": {
        "num_rows": 1000,
        "format": "csv",
        "size_bytes": 108011,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    },
    "started_at": CREATED_AT,
    "finished_at": "2026-02-25T10:00:03Z",
    "eta_seconds": None,
}
REPORT_CREATE = {"project_id": PROJECT_ID, "kind": "synthgen", "entity_id": MODEL_ID, "options": {"target": "income"}}
REPORT = {
    "id": JOB_ID,
    "project_id": PROJECT_ID,
    "kind": "synthgen",
    "entity_id": MODEL_ID,
    "status": "succeeded",
    "options": {"synthgen_job_id": None, "num_rows": None, "seed": None, "target": "income"},
    "progress": 1.0,
    "message": "",
    "eta_seconds": None,
    "error": None,
    "scores": {
        "verdict": "good",
        "column_shapes": 0.981,
        "pair_trends": 0.957,
        "detection_auc": 0.548,
        "utility": 0.912,
        "utility_real": 0.924,
        "copies": 0.0,
        "distance_share": 0.502,
    },
    "created_at": CREATED_AT,
    "started_at": CREATED_AT,
    "finished_at": "2026-02-25T10:00:40Z",
}
STATUS_JOB = {
    "job_type": "train",
    "model_id": MODEL_ID,
    "model_name": "Transactions",
    "project_id": PROJECT_ID,
    "project_name": "Bank",
    "attempt": 1,
}
STATUS = {
    "version": "0.1.0",
    "checks": [
        {"name": "store", "ok": True, "code": None, "detail": None},
        {
            "name": "artifacts",
            "ok": False,
            "code": "artifacts_unavailable",
            "detail": "The artifact store takes no files now.",
        },
        {"name": "dispatcher", "ok": True, "code": None, "detail": None},
    ],
    "disk": {"free_bytes": 81604378624, "total_bytes": 107374182400, "needed_bytes": 5368709120},
    "queue": [
        {
            "job_type": "train",
            "pending": 2,
            "running": 1,
            "completed": 40,
            "failed": 1,
            "oldest_pending_seconds": 12.5,
        },
    ],
    "running": [
        {
            "id": JOB_ID,
            **STATUS_JOB,
            "progress": 0.4,
            "message": "epoch 120 of 300",
            "started_at": CREATED_AT,
            "eta_seconds": 61.5,
        },
    ],
    "failed": [
        {
            "id": BACKGROUND_ID,
            **STATUS_JOB,
            "finished_at": CREATED_AT,
            "error": {
                "code": "out_of_memory",
                "message": "The job needs more memory than there is: try fewer columns or rows.",
                "retryable": False,
            },
        },
    ],
}
MODEL_TYPES = {
    "model_types": [
        {
            "id": "gaussian_copula",
            "name": "Gaussian Copula",
            "description": "Statistical copula model - fastest, good baseline",
            "config_schema": {"type": "object", "properties": {"seed": {"type": "integer", "default": None}}},
        }
    ]
}


def example(*values: Any) -> dict[str, Any]:
    """For `json_schema_extra`."""
    return {"examples": list(values)}
