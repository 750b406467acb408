"""Types of settings that are written as one text in the environment."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator

__all__ = ["Durations", "Pairs", "Words"]

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION: Final = re.compile(r"(\d+)([smhd])").fullmatch


def _split(value: Any) -> Any:  # noqa: ANN401  # pydantic hands over whatever came
    """Return the words of ``a, b``; a list of the YAML file stays what it is."""
    if not isinstance(value, str):
        return value
    return tuple(word.strip() for word in value.split(",") if word.strip())


def _pairs(value: Any) -> Any:  # noqa: ANN401  # pydantic hands over whatever came
    """Return the mapping of ``a=1,b=2`` or of a JSON object."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("{"):
        try:
            return {name: _plain(item) for name, item in json.loads(value).items()}
        except ValueError:
            raise ValueError("expected a JSON object or name=value,name=value") from None
    pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
    if not all(name.strip() and equals for name, equals, _ in pairs):
        raise ValueError("expected name=value,name=value")
    return {name.strip(): item.strip() for name, _, item in pairs}


def _plain(value: object) -> str:
    # librdkafka takes texts only, and writes booleans in lower case
    return str(value).lower() if isinstance(value, bool) else str(value)


def _durations(value: Any) -> Any:  # noqa: ANN401  # pydantic hands over whatever came
    pairs = _pairs(value)
    if not isinstance(pairs, dict):
        return pairs
    return {name: _milliseconds(text) for name, text in pairs.items()}


def _milliseconds(text: str) -> int:
    match = _DURATION(text)
    if match is None:
        raise ValueError(f"expected a duration such as 6h or 3d, was {text!r}")
    return int(match[1]) * _SECONDS[match[2]] * 1000


Words: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""``BTC/USDT,ETH/USDT``, or a list in the YAML file."""

Pairs: TypeAlias = Annotated[dict[str, str], BeforeValidator(_pairs)]
"""``linger.ms=5,acks=all``, a JSON object, or a mapping in the YAML file."""

Durations: TypeAlias = Annotated[dict[str, int], BeforeValidator(_durations)]
"""``trade=3d,book=6h`` (s, m, h, d), in milliseconds."""
