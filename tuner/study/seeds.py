"""Where seeds come from: every random draw has an owner, and the owner's key gives its seed. Standard library only."""

from __future__ import annotations

import hashlib


def derive(seed: int, *key: str | int) -> int:
    """A seed of its own for whatever ``key`` names: the same on every machine and in every process.

    Args:
        seed: Of the study or the trial.
        key: The path to the owner, such as ("trial", 0) or ("step", 1200).

    Returns:
        A whole number in [0, 2**31).
    """
    path = "/".join([str(seed), *(f"{type(part).__name__}:{part}" for part in key)])
    return int.from_bytes(hashlib.blake2b(path.encode(), digest_size=4).digest()) & 0x7FFF_FFFF
