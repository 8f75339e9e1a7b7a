"""API keys: how one is made and what is kept of it."""

import hashlib
import secrets


def new_key() -> str:
    return f"sg_{secrets.token_urlsafe(32)}"


def key_hash(key: str) -> str:
    """What is kept of a key. It is 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()
