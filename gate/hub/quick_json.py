"""JSON by orjson, where the standard library's takes several times as long and the bytes must be the same.

A digest is of the bytes that :func:`gate.core.evidence.canonical_json` makes, on the lane by the standard library. orjson writes the same
for everything but numbers with an exponent, whole numbers beyond 64 bits and what is no JSON (it would write null for NaN), so those are
left to the standard library. Decision 36 says why there are two.
"""

from collections.abc import Iterable

import orjson

from gate.core.evidence import canonical_json

_PLAIN = frozenset({str, type(None)})
_WHOLE = 2**63
_SMALLEST, _LARGEST = 1e-4, 1e16  # what repr() writes without an exponent


def stable_json(value: object) -> str:
    """``value`` as JSON with sorted keys: the same text for the same value, to be kept and compared; not to be hashed."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # whole numbers of more than 64 bits
        return canonical_json(value).decode()


def same_canonical_json(value: object, leaves: Iterable[object]) -> bytes:
    """:func:`canonical_json` of ``value``, a structure of dicts and lists in which only ``leaves`` may be anything but texts.

    Raises ValueError as that does.
    """
    if all(type(leaf) in _PLAIN or _is_written_alike(leaf) for leaf in leaves):
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except TypeError:  # half a surrogate pair
            pass
    return canonical_json(value)


def _is_written_alike(leaf: object) -> bool:
    if type(leaf) is float:
        return leaf == 0 or _SMALLEST <= abs(leaf) < _LARGEST
    return type(leaf) is int and -_WHOLE <= leaf < _WHOLE
