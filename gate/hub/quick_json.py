"""JSON by orjson, where the standard library's takes several times as long and the bytes must be the same.

A digest is of the bytes that :func:`gate.core.evidence.canonical_json` makes, on the lane by the standard library. orjson writes the same
for everything but numbers with an exponent, whole numbers beyond 64 bits and what is no JSON (it would write null for NaN), so those are
left to the standard library. Decision 36 says why there are two.
"""

from collections.abc import Iterable

import orjson

from gate.core.evidence import canonical_json

_ALIKE = frozenset({str, type(None), bool, int, float})
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
    given = list(leaves)
    if set(map(type, given)) <= _ALIKE:
        sizes = {abs(leaf) for leaf in given if type(leaf) is float and leaf != 0}
        if all(_SMALLEST <= size < _LARGEST for size in sizes):
            try:
                return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
            except TypeError:  # a whole number of more than 64 bits, half a surrogate pair
                pass
    return canonical_json(value)
