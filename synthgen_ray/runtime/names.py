"""The names under which the parts of the system find each other in a Ray cluster."""

NAMESPACE = "synthgen"
APP = "synthgen"
SAMPLER = "Sampler"
METADATA = "metadata"
DISPATCHER = "dispatcher"
HEAD = {"node:__internal_head__": 0.001}  # pins an actor to the head node
