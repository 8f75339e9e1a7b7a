"""The names under which the parts of the system, and the people who watch it, find things in Ray."""

import re

from synthgen_ray.domain.entities import Job

NAMESPACE = "synthgen"
APP = "synthgen"
SAMPLER = "Sampler"
METADATA = "metadata"
DISPATCHER = "dispatcher"
LEADER = "leader"  # and something random
# What the titles of the processes at a job begin with. Prometheus drops their figures: a name would come with each.
TRAIN, LEAD, GENERATE, REPORT = "train", "lead", "generate", "report"
SHORT = 8  # characters of an id that tell it from those beside it
HEAD = {"node:__internal_head__": 0.001}  # pins an actor to the head node


def run_name(job: Job) -> str:
    """What a job is called in the dashboard: its model's name and the start of its id."""
    return f"{_safe(job.model_name)}-{str(job.id)[:SHORT]}-{job.attempt}"


def train_run_name(job: Job) -> str:
    """What a run of Ray Train is called there: its model's name and id."""
    return f"{_safe(job.model_name)}-{job.model_id}-{job.attempt}"


def _safe(name: str) -> str:
    """Ray makes folders of it: of a name, which is a stranger's, only what is safe in a path is left."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:40].strip("-") or "model"
