"""Units, constants with their source, and the few conversions between units.

Names carry the unit: ``load_kva``, ``hot_spot_c`` (temperature), ``rise_k`` (difference), ``_pu`` ratio,
``_pct`` percent, ``_h`` and ``_min`` time.
"""

HORIZON_H = 72
"""Hours ahead that a forecast covers."""

QUANTILE_LEVELS = (0.05, 0.10, 0.20, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 0.95)
"""Levels of the forecast quantiles, as in the columns ``load_kva_p05`` .. ``load_kva_p95``."""

QUANTILE_COLUMNS = tuple(f"load_kva_p{round(100 * level):02d}" for level in QUANTILE_LEVELS)

LV_KV = 0.415
"""Nominal low voltage of the 11/0.415 kV transformers, line to line [kV]."""


def current_a(load_kva: float, voltage_kv: float = LV_KV) -> float:
    """Line current of a balanced three-phase load.

    Parameters
    ----------
    load_kva : float
        Apparent power [kVA].
    voltage_kv : float
        Line-to-line voltage [kV].

    Returns
    -------
    float
        Current [A], ``S / (sqrt(3) U)``.

    Examples
    --------
    >>> round(current_a(500), 1)
    695.6
    """
    return float(load_kva / (3**0.5 * voltage_kv))
