"""The thermal model against transformer-thermal-model, an independent implementation of the same clauses.

Both hold load and air over a step and use the exponential form of IEC 60076-7:2005, 8.2.2, with each step as
the start of the next; the peer takes ``dt[i]`` between stamps i - 1 and i and the load of stamp i.
"""

import numpy as np
import pandas as pd
import pytest

from gridlib.domain.thermal import ThermalSpec, thermal_response

model = pytest.importorskip(
    "transformer_thermal_model.model", reason="transformer-thermal-model is not installed"
)
from transformer_thermal_model.cooler import CoolerType  # noqa: E402
from transformer_thermal_model.schemas import InputProfile, UserTransformerSpecifications  # noqa: E402
from transformer_thermal_model.schemas.thermal_model.initial_state import InitialLoad  # noqa: E402
from transformer_thermal_model.transformer import DistributionTransformer, PowerTransformer  # noqa: E402

DISTRIBUTION = (55.0, 23.0, 5.0, 180.0, 4.0, 0.8, 1.6, 1, 1, 2)
ONAN = (52.0, 26.0, 6.0, 210.0, 10.0, 0.8, 1.3, 0.5, 2, 2)
ONAF = (52.0, 26.0, 6.0, 150.0, 7.0, 0.8, 1.3, 0.5, 2, 2)


def peer(constants, load, air, step_min):
    d_or, d_hr, ratio, tau_o, tau_w, x, y, k11, k21, k22 = constants
    specs = UserTransformerSpecifications(
        load_loss=1000 * ratio,
        no_load_loss=1000,
        nom_load_sec_side=1.0,
        amb_temp_surcharge=0.0,
        top_oil_temp_rise=d_or,
        winding_oil_gradient=d_hr,
        hot_spot_fac=1.0,
        time_const_oil=tau_o,
        time_const_windings=tau_w,
        oil_exp_x=x,
        winding_exp_y=y,
        oil_const_k11=k11,
        winding_const_k21=k21,
        winding_const_k22=k22,
    )
    unit = (
        DistributionTransformer(user_specs=specs)
        if constants is DISTRIBUTION
        else PowerTransformer(user_specs=specs, cooling_type=CoolerType.ONAN)
    )
    profile = InputProfile.create(
        datetime_index=pd.date_range("2026-01-01", periods=len(load), freq=f"{step_min}min"),
        load_profile=load,
        ambient_temperature_profile=air,
    )
    return model.Model(profile, unit, initial_condition=InitialLoad(initial_load=float(load[0]))).run()


@pytest.mark.parametrize("constants", [DISTRIBUTION, ONAN, ONAF], ids=["distribution", "ONAN", "ONAF"])
@pytest.mark.parametrize("step_min", [5, 15, 60])
def test_equal_to_the_peer_within_a_billionth_of_a_kelvin(constants, step_min: int) -> None:
    rng = np.random.default_rng(7)
    load, air = rng.uniform(0, 1.8, 288), rng.uniform(-10, 50, 288)
    theirs = peer(constants, load, air, step_min)
    ours = thermal_response(load[:, None], air, ThermalSpec(*constants), step_min=step_min)
    assert ours.top_oil_c[:, 0] == pytest.approx(theirs.top_oil_temp_profile.to_numpy(), abs=1e-9, rel=0)
    assert ours.hot_spot_c[:, 0] == pytest.approx(theirs.hot_spot_temp_profile.to_numpy(), abs=1e-9, rel=0)
