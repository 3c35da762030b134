"""What the worker keeps at hand: the newest run's frames and the network as it is now."""

from dataclasses import dataclass, replace

import pandas as pd

from gridlib.adapters.records import runs
from gridlib.adapters.records.runs import StoreVersion
from gridlib.workbench import Workbench
from gridlib.workflow.material import read_recent
from gridlib.workflow.studies import StudyBase, base_of

SHOWN_H = 48
"""Measured hours shown before the forecast [h]."""


@dataclass(frozen=True)
class Memory:
    """Frames of one state of the store, which ``version`` names."""

    base: StudyBase
    metered: pd.DataFrame
    risk: pd.DataFrame
    thermal: pd.DataFrame
    day_limits: pd.DataFrame

    @property
    def version(self) -> StoreVersion:
        """State of the store that it was read from."""
        return self.base.version


def read_memory(workbench: Workbench, before: Memory | None = None) -> Memory:
    """Read all that studies and pictures start from, as of one moment.

    Only what may have changed since ``before`` is read anew: a decision costs its plans and a reported
    switch its states, and a whole fleet is read for a new run, new readings or a new network alone.
    """
    with workbench.store.read() as connection:
        base = base_of(workbench, connection, before.base if before else None)
        if before is not None and base.version.same_inputs(before.version):
            return replace(before, base=base)
        metered = read_recent(workbench, connection, base.run.issued_at, span_h=SHOWN_H)
    frames = (
        workbench.telemetry.read_run_frame(base.run.run_id, name)
        for name in ("risk", "thermal", "day_limits")
    )
    risk, thermal, day_limits = (frame.set_index("transformer_id", drop=False) for frame in frames)
    return Memory(base, metered, risk, thermal, day_limits)


def version_now(workbench: Workbench) -> StoreVersion:
    """Name the state of the store that a memory read now would have."""
    with workbench.store.read() as connection:
        return runs.store_version(connection)
