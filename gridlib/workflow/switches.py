"""Positions of switches as people report them, held against telemetry."""

from gridlib.adapters.records import network as network_records
from gridlib.facts.errors import InputError, NotFoundError
from gridlib.facts.types import SwitchState
from gridlib.workbench import Workbench
from gridlib.workflow import clock, queries
from gridlib.workflow.audit import Intention, intention


def confirm_switch(workbench: Workbench, switch_id: str, *, by: str, state: SwitchState) -> str:
    """Write down the position of a switch as a person knows it to be operated.

    From here on this position counts, until a later one is reported. Nothing is operated.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    switch_id : str
        A switch of the network.
    by : str
        User name of an operator.
    state : SwitchState
        OPEN or CLOSED.

    Returns
    -------
    str
        Where telemetry says otherwise, the sentence that says so; else empty.

    Raises
    ------
    NotFoundError
        The network has no such switch.
    InputError
        That is no position of a switch.
    """
    with intention(workbench, by, "switch.confirm", switch_id) as act:
        act.facts["state"] = str(state)
        if state not in tuple(SwitchState):
            raise InputError(f"'{state}' is no position", what_to_do="Say OPEN or CLOSED.")
        if not network_records.has_switch(act.connection, switch_id):
            raise NotFoundError("switch", switch_id, what_to_do="See 'gridlib switch list'.")
        report_switch(workbench, act, switch_id, state)
        mismatch = queries.find_mismatches(workbench, act.connection, [switch_id]).get(switch_id, "")
        act.facts["mismatch"] = mismatch
    return mismatch


def report_switch(
    workbench: Workbench, act: Intention, switch_id: str, state: SwitchState, *, faulty: bool = False
) -> None:
    """Append the position of a switch inside an intention, as reported by its actor, now."""
    at = clock.now(workbench, act.connection)
    network_records.record_switch_state(act.connection, switch_id, state, at, act.actor, faulty=faulty)
