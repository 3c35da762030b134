"""The fleet as the control room needs it: its risk, its alerts, and what lies around a transformer."""

import pandas as pd

from gridlib.apps.screens.visit import Visit
from gridlib.domain.alerts import Alert
from gridlib.workflow import queries

_RUNS_KEPT = 2


def risk_table(visit: Visit) -> pd.DataFrame:
    """Return the risk of the fleet in the newest run, riskiest first, with ``substation_id``.

    Raises
    ------
    NotFoundError
        No run has scored the risk yet.
    """
    memory = visit.known
    homes = memory.base.material.network.transformers.set_index("transformer_id")["substation_id"]
    return memory.risk.assign(substation_id=memory.risk["transformer_id"].map(homes).fillna(""))


def risk_of(visit: Visit, transformer_id: str) -> pd.Series | None:
    """Return the risk of one transformer, or None where it was not assessed."""
    risk = risk_table(visit)
    rows = risk[risk["transformer_id"] == transformer_id]
    return None if rows.empty else rows.iloc[0]


def alerts_by_transformer(visit: Visit) -> dict[str, Alert]:
    """Read the alerts that stand, by transformer, those that call for a person first."""
    return {alert.transformer_id: alert for alert in queries.get_alerts(visit.workbench)}


def substation_names(visit: Visit) -> dict[str, str]:
    """Name the substations in the reader's language, by their id as far as they have no name."""
    table = visit.known.base.material.network.substations
    column = "name_ar" if visit.language == "ar" else "name"
    names = table[column].where(table[column].astype(bool) & table[column].notna(), table["substation_id"])
    return dict(zip(table["substation_id"], names.astype(str), strict=True))


def section_switches(visit: Visit, transformer_id: str) -> pd.DataFrame:
    """List the switches at a transformer and at its sections."""
    network = visit.known.base.material.network
    sections = network.sections
    ends = {transformer_id, *sections.loc[sections["transformer_id"] == transformer_id, "section_id"]}
    switches = network.switches
    return switches[switches["from_id"].isin(ends) | switches["to_id"].isin(ends)]
