"""The audit trail: rows chained by their hashes, and signed checkpoints of the chain's head.

A chain shows an altered, missing or inserted row. It cannot show that its last rows were cut off, or that
somebody with the whole database wrote all of it anew: for that the head is signed from time to time into a
file that can live on another host. The trail is tamper-evident, not tamper-proof.
"""

from gridlib.adapters.chain.checkpoints import (
    append_checkpoint,
    ensure_key,
    fingerprint,
    read_key,
    verify_checkpoints,
)
from gridlib.adapters.chain.rows import append_event, find_events, read_events, verify_chain, write_events

__all__ = [
    "append_checkpoint",
    "append_event",
    "ensure_key",
    "find_events",
    "fingerprint",
    "read_events",
    "read_key",
    "verify_chain",
    "verify_checkpoints",
    "write_events",
]
