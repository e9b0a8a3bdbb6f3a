"""Quantiles of Student's t."""

from __future__ import annotations

from math import inf

#: Two-sided 95% quantiles for 1, 2, ... degrees of freedom (Student 1908; tables).
_T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
_NORMAL95 = 1.959964


def t95(freedom: int) -> float:
    """The two-sided 95% quantile of Student's t with ``freedom`` degrees of freedom; inf for none.

    Beyond the table by the expansion around the normal quantile z, z + (z³ + z)/4ν + (5z⁵ + 16z³ + 3z)/96ν²
    + (3z⁷ + 19z⁵ + 17z³ - 15z)/384ν³ (Abramowitz and Stegun, 26.7.5), which is good to four digits there.
    """
    if freedom < 1:
        return inf
    if freedom <= len(_T95):
        return _T95[freedom - 1]
    z = _NORMAL95
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
