"""What is wrong with the readings: gaps, stuck meters, zero blocks, spikes, wrong units.

``readings`` looks at whole columns and says what was found; ``spikes`` finds single readings that stand out.
"""

from gridlib.domain.quality.readings import (
    CHUNK,
    FINDING_COLUMNS,
    UNTOUCHED,
    beyond_rating,
    check_load,
    check_unit,
    clean_load,
    flag_readings,
    readings_of,
    utc_index,
)

__all__ = [
    "CHUNK",
    "FINDING_COLUMNS",
    "UNTOUCHED",
    "beyond_rating",
    "check_load",
    "check_unit",
    "clean_load",
    "flag_readings",
    "readings_of",
    "utc_index",
]
