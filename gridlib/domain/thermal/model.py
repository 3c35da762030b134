"""Top oil, hot spot and ageing from load and air (IEC 60076-7, exponential form)."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gridlib.domain.thermal.arrays import Floats, column_of
from gridlib.facts.errors import InputError

DISTRIBUTION_MAX_KVA = 2500.0
"""Largest distribution transformer (three-phase) [kVA], IEC 60076-7:2005, 3.2."""

COOLINGS = ("ONAN", "ONAF")
"""Words for cooling that are known."""

_FIELDS = ("d_or_k", "d_hr_k", "loss_ratio", "tau_o_min", "tau_w_min", "x", "y", "k11", "k21", "k22")
_PRESETS = {
    "distribution ONAN": (55.0, 23.0, 5.0, 180.0, 4.0, 0.8, 1.6, 1.0, 1.0, 2.0),
    "power ONAN": (52.0, 26.0, 6.0, 210.0, 10.0, 0.8, 1.3, 0.5, 2.0, 2.0),
    "power ONAF": (52.0, 26.0, 6.0, 150.0, 7.0, 0.8, 1.3, 0.5, 2.0, 2.0),
}


@dataclass(frozen=True)
class ThermalSpec:
    """Thermal constants, each one number or one for each of N transformers.

    Attributes
    ----------
    d_or_k : float or array
        Top-oil rise at rated losses [K].
    d_hr_k : float or array
        Hot-spot to top-oil gradient at rated current [K].
    loss_ratio : float or array
        Load loss at rated current over no-load loss, R [pu].
    tau_o_min, tau_w_min : float or array
        Oil and winding time constants [min].
    x, y : float or array
        Oil and winding exponents.
    k11, k21, k22 : float or array
        Thermal model constants.

    References
    ----------
    IEC 60076-7:2005, Table 4 (constants) and Annex E (rated rises).
    """

    d_or_k: float | Floats
    d_hr_k: float | Floats
    loss_ratio: float | Floats
    tau_o_min: float | Floats
    tau_w_min: float | Floats
    x: float | Floats
    y: float | Floats
    k11: float | Floats
    k21: float | Floats
    k22: float | Floats


class ThermalState(NamedTuple):
    """What a transformer remembers of its past load, arrays [N].

    ``top_oil_c`` [degC]; ``h1_k`` and ``h2_k``, the two parts of the hot-spot gradient [K].
    """

    top_oil_c: Floats
    h1_k: Floats
    h2_k: Floats


@dataclass(frozen=True)
class ThermalResponse:
    """Temperatures at the end of each step, arrays [T, N] in degC, and the state after the last."""

    top_oil_c: Floats
    hot_spot_c: Floats
    final: ThermalState


def thermal_spec(transformers: pd.DataFrame) -> ThermalSpec:
    """Choose the thermal constants of each transformer by its cooling and size.

    Parameters
    ----------
    transformers : DataFrame
        ``cooling`` (ONAN | ONAF; missing or another word: ONAN) and ``rating_kva`` [kVA].

    Returns
    -------
    ThermalSpec
        Arrays [N] in the order of the rows.

    Notes
    -----
    ONAN units above 2,500 kVA are power transformers and get the constants of those.

    Examples
    --------
    >>> thermal_spec(pd.DataFrame({"cooling": ["ONAN", None], "rating_kva": [500.0, 5000.0]})).tau_o_min
    array([180., 210.])
    """
    cooling = column_of(transformers, "cooling").astype("string").str.upper()
    forced = (cooling == "ONAF").fillna(False).to_numpy(bool)
    large = column_of(transformers, "rating_kva").to_numpy(float) > DISTRIBUTION_MAX_KVA
    names = np.where(forced, "power ONAF", np.where(large, "power ONAN", "distribution ONAN"))
    table = np.array([_PRESETS[str(name)] for name in names]).reshape(-1, len(_FIELDS))
    return ThermalSpec(**{name: table[:, i].copy() for i, name in enumerate(_FIELDS)})


def thermal_response(
    load_factor_pu: ArrayLike,
    ambient_c: ArrayLike,
    spec: ThermalSpec,
    *,
    step_min: float,
    initial: ThermalState | None = None,
) -> ThermalResponse:
    """Run the thermal model over a load, all transformers at once.

    Parameters
    ----------
    load_factor_pu : array [T, N]
        Load over rating, held over each step [pu]; the sign does not matter.
    ambient_c : array [T] or [T, N]
        Air temperature, held over each step [degC].
    spec : ThermalSpec
        Thermal constants.
    step_min : float
        Length of a step [min].
    initial : ThermalState, optional
        State before the first step; default is the steady state of the first step.

    Returns
    -------
    ThermalResponse
        Temperatures at the end of each step [degC].

    Raises
    ------
    InputError
        Arrays that do not fit each other, or a step that is not positive.

    Notes
    -----
    With K the load factor and g = d_hr K^y, each step of dt minutes does ::

        top_oil += (ambient + d_or ((1 + R K^2)/(1 + R))^x - top_oil) (1 - exp(-dt/(k11 tau_o)))
        h1       = k21 g + (h1 - k21 g) exp(-dt/(k22 tau_w))
        h2       = (k21 - 1) g + (h2 - (k21 - 1) g) exp(-dt k22/tau_o)
        hot_spot = top_oil + h1 - h2

    which is exact for a load held over the step, so any step length is stable.

    References
    ----------
    IEC 60076-7:2005, 8.2.2 (exponential equations), with the step as start of the next.

    Examples
    --------
    >>> unit = ThermalSpec(55, 23, 5, 180, 4, 0.8, 1.6, 1, 1, 2)
    >>> run = thermal_response([[1.0]], [20.0], unit, step_min=60)
    >>> float(run.top_oil_c[0, 0]), float(run.hot_spot_c[0, 0])
    (75.0, 98.0)
    """
    load = np.abs(np.asarray(load_factor_pu, dtype=float))
    air = np.asarray(ambient_c, dtype=float)
    if load.ndim != 2 or air.shape not in (load.shape, load.shape[:1]) or len(load) == 0 or not step_min > 0:
        raise InputError(
            f"load {load.shape}, air {air.shape}, step {step_min} min; expected load [T, N] with T > 0, "
            "air [T] or [T, N], and a step above 0",
            what_to_do="Give both over the same steps.",
        )
    air = np.broadcast_to(air if air.ndim == 2 else air[:, None], load.shape)
    k21 = np.asarray(spec.k21, dtype=float)
    oil_goal = air + spec.d_or_k * ((1 + spec.loss_ratio * load**2) / (1 + spec.loss_ratio)) ** spec.x
    gradient_k = spec.d_hr_k * load**spec.y
    oil_left = np.exp(-step_min / (np.asarray(spec.k11) * spec.tau_o_min))
    h1_left = np.exp(-step_min / (np.asarray(spec.k22) * spec.tau_w_min))
    h2_left = np.exp(-step_min * np.asarray(spec.k22) / spec.tau_o_min)

    if initial is None:
        initial = ThermalState(oil_goal[0], k21 * gradient_k[0], (k21 - 1) * gradient_k[0])
    top_oil, h1, h2 = (np.broadcast_to(part, load.shape[1:]) for part in initial)
    top_oil_c, hot_spot_c = np.empty_like(load), np.empty_like(load)
    for t in range(len(load)):
        top_oil = oil_goal[t] + (top_oil - oil_goal[t]) * oil_left
        h1 = k21 * gradient_k[t] + (h1 - k21 * gradient_k[t]) * h1_left
        h2 = (k21 - 1) * gradient_k[t] + (h2 - (k21 - 1) * gradient_k[t]) * h2_left
        top_oil_c[t] = top_oil
        hot_spot_c[t] = top_oil + h1 - h2
    return ThermalResponse(top_oil_c, hot_spot_c, ThermalState(top_oil, h1, h2))


def ageing_rate_pu(hot_spot_c: ArrayLike, paper: str | ArrayLike = "normal") -> Floats:
    """Rate at which the winding insulation ages.

    Parameters
    ----------
    hot_spot_c : array
        Hot-spot temperature [degC].
    paper : str or array
        "upgraded" (thermally upgraded) or anything else for normal paper; broadcasts to the temperatures.

    Returns
    -------
    array
        Relative ageing rate V [pu]; 1 at 98 degC for normal, at 110 degC for upgraded paper.

    Notes
    -----
    Normal: ``V = 2^((h - 98)/6)``. Upgraded: ``V = exp(15000/(110 + 273) - 15000/(h + 273))``.

    References
    ----------
    IEC 60076-7:2005, 6.3, equations (2) and (3).

    Examples
    --------
    >>> ageing_rate_pu([98, 104, 110]).tolist()
    [1.0, 2.0, 4.0]
    """
    hot_spot = np.asarray(hot_spot_c, dtype=float)
    upgraded = np.asarray(paper, dtype=object) == "upgraded"
    normal_rate = np.asarray(2 ** ((hot_spot - 98) / 6))
    if not upgraded.any():
        return normal_rate
    return np.where(upgraded, np.exp(15000 / (110 + 273) - 15000 / (hot_spot + 273)), normal_rate)


def loss_of_life_d(hot_spot_c: ArrayLike, paper: str | ArrayLike = "normal", *, step_min: float) -> Floats:
    """Insulation life used over the steps.

    Parameters
    ----------
    hot_spot_c : array [T, N]
        Hot-spot temperature [degC].
    paper : str or array [N]
        As in `ageing_rate_pu`.
    step_min : float
        Length of a step [min].

    Returns
    -------
    array [N]
        Days of normal life [d].
    """
    rate: Floats = ageing_rate_pu(hot_spot_c, paper)
    return np.asarray(rate.sum(axis=0) * step_min / (24 * 60), dtype=float)
