"""What is said about the position of a switch: by telemetry, by people, and where the two disagree."""

from typing import NamedTuple

import pandas as pd


class Contradiction(NamedTuple):
    """A switch of which telemetry and people say different things; times in UTC."""

    switch_id: str
    telemetered: str
    telemetered_at: pd.Timestamp
    reported: str
    reported_at: pd.Timestamp
    reported_by: str


def contradictions(newest: pd.DataFrame) -> list[Contradiction]:
    """Find the switches whose telemetered position is not the one last ordered or confirmed.

    Parameters
    ----------
    newest : DataFrame
        switch_id, source, time (UTC), state, recorded_by: the newest row of each switch and source.

    Returns
    -------
    list of Contradiction
        By switch. Which of the two is the later makes no difference: a device that was ordered to close and
        still reports OPEN did not follow, and one that opened by itself was not ordered to.
    """
    rows = newest.drop_duplicates(["switch_id", "source"]).set_index("switch_id")
    seen, said = (rows[rows["source"] == source] for source in ("telemetered", "manual"))
    both = seen.join(said, how="inner", lsuffix="_seen", rsuffix="_said").sort_index()
    both = both[both["state_seen"] != both["state_said"]]
    columns = ("state_seen", "time_seen", "state_said", "time_said", "recorded_by_said")
    return [
        Contradiction(str(switch_id), *row)
        for switch_id, *row in zip(both.index, *(both[name] for name in columns), strict=True)
    ]


def is_confirmed(states: pd.DataFrame, oldest: pd.Timestamp) -> pd.Series:
    """Tell of each switch whether its position was reported, and not before ``oldest``.

    Parameters
    ----------
    states : DataFrame
        As from `gridlib.domain.network.current_states`.
    oldest : Timestamp
        Earlier reports do not count.

    Returns
    -------
    Series of bool
        In the order of ``states``.
    """
    return (states["source"] != "assumed") & (states["time"] >= oldest)
