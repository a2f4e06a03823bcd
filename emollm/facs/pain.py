"""The pain intensity of a face, from its AUs.

Example:

    pspi({"AU04": 2, "AU06": 3, "AU07": 1, "AU09": 0, "AU10": 1, "AU43": 1})     # 7.0
"""

from __future__ import annotations

from collections.abc import Mapping


def pspi(aus: Mapping[str, float]) -> float | None:
    """Return the Prkachin and Solomon pain intensity, 0 to 16: AU4 + max(AU6, AU7) + max(AU9, AU10) + AU43.

    Intensities are 0-5; AU43 counts as 0 or 1 (eyes closed), and without it the range ends at 15. None when AU4,
    both of AU6 and AU7, or both of AU9 and AU10 were not measured. Source: Pain 139, 267-274, 2008.
    """
    orbit = [aus[code] for code in ("AU06", "AU07") if code in aus]
    levator = [aus[code] for code in ("AU09", "AU10") if code in aus]
    if "AU04" not in aus or not orbit or not levator:
        return None
    return float(aus["AU04"] + max(orbit) + max(levator) + (aus.get("AU43", 0.0) >= 0.5))
