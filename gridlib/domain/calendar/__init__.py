"""Local time and kinds of day of any country, with a site's own dates.

Everything else in gridlib thinks in UTC; only here and on screens does local time appear.

::

    country   weekend and public holidays by year, from the package `holidays`
    feasts    Ramadan and both Eids, as calculated, as a country keeps them, and as a site says
    sunset    when the sun sets at a place, by the clock on the wall
    days      `Calendar`: everything about local days in a row, as arrays
    site      `calendar_for`: the door, with the site's own dates and place
"""

from gridlib.domain.calendar.country import DayType
from gridlib.domain.calendar.days import Calendar, DayFeatures
from gridlib.domain.calendar.site import calendar_for, check_override

__all__ = ["Calendar", "DayFeatures", "DayType", "calendar_for", "check_override"]
