"""How exchanges write a number that is counted in units of a power of ten. All exact."""

from __future__ import annotations

__all__ = ["as_double", "fixed", "shortest", "trimmed"]


def fixed(units: int, decimals: int) -> str:
    """Return all decimals, zeros among them: ``0.00077720``."""
    if not decimals:
        return str(units)
    sign, digits = ("-", -units) if units < 0 else ("", units)
    text = str(digits).rjust(decimals + 1, "0")
    return f"{sign}{text[:-decimals]}.{text[-decimals:]}"


def trimmed(units: int, decimals: int) -> str:
    """Return no more decimals than are needed: ``0.0007772``, ``116606000``."""
    text = fixed(units, decimals)
    return text.rstrip("0").rstrip(".") if decimals else text


def as_double(units: int, decimals: int) -> str:
    """Return the spelling of Java's ``Double.toString``: ``1.16539E8``, ``3040.0``, ``5.0E-4``.

    Plain from 10**-3 up to 10**7, else with an exponent; at least one decimal either way.
    """
    if not units:
        return "0.0"
    sign = "-" if units < 0 else ""
    digits = str(abs(units))
    # power of ten of the first digit
    power = len(digits) - 1 - decimals
    if -3 <= power < 7:
        text = trimmed(units, decimals)
        return text if "." in text else f"{text}.0"
    digits = digits.rstrip("0")
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{power}"


def shortest(units: int, decimals: int) -> str:
    """Return ``trimmed``, but below 10**-4 with an exponent as Python writes it: ``6.043e-05``."""
    digits = str(abs(units))
    power = len(digits) - 1 - decimals
    if not units or power >= -4:
        return trimmed(units, decimals)
    digits = digits.rstrip("0")
    sign = "-" if units < 0 else ""
    rest = f".{digits[1:]}" if digits[1:] else ""
    return f"{sign}{digits[0]}{rest}e-{-power:02d}"
