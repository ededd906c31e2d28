"""``gate bench watchlist``: a face among many beside bare faiss and numpy in the same run; a name among many; a document among many.

Faces are random directions (the hardest gallery there is: nothing is near anything), half of the questions are listed people's templates
with noise, half strangers'. Asked in turn, so that a busy moment of the machine hits all three alike. One thread each.
"""

import json
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import faiss
import numpy as np
from numpy.typing import NDArray

from gate.checks.watchlist.births import packed
from gate.checks.watchlist.documents import DocumentIndex
from gate.checks.watchlist.entry import ListedDocument, ListedName
from gate.checks.watchlist.faces import NEAREST, FaceIndex
from gate.checks.watchlist.names import NameIndex, NameRow
from simulator.listed_people import Person, Variation, people, varied, varied_birth

_DIMENSIONS = 128
_QUESTIONS = 60
_NAME_QUESTIONS = 2_000
_STRANGERS = 500
_NOISE = 0.09
"""Per dimension: the template of a listed person is seen again at a cosine of about 0.7."""

Vectors = NDArray[np.float32]
Answer = TypeVar("Answer")


def run_bench_watchlist(*, sizes: Sequence[int], names: int, is_json: bool) -> int:
    """Measure and print; returns the exit code."""
    faiss.omp_set_num_threads(1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    figures: dict[str, Any] = {"galleries": {}}
    for size in sizes:
        _say(f"faces: {size:,}")
        figures["galleries"][str(size)] = measure_faces(size)
    if names:
        _say(f"names: {names:,} (the index is built first)")
        figures["names"] = measure_names(names)
        figures["documents"] = measure_documents(names)
    if is_json:
        print(json.dumps(figures))
    else:
        _print(figures)
    return 0


def measure_faces(size: int) -> dict[str, float]:
    """The keys of MEASURES for one gallery."""
    chance = np.random.default_rng(size)
    gallery = _unit(chance.standard_normal((size, _DIMENSIONS), np.float32))
    listed = gallery[chance.integers(0, size, _QUESTIONS // 2)]
    seen = _unit(listed + _NOISE * chance.standard_normal(listed.shape, np.float32))
    questions = np.concatenate([seen, _unit(chance.standard_normal((_QUESTIONS // 2, _DIMENSIONS), np.float32))])
    ours = FaceIndex(gallery, np.arange(size, dtype=np.uint32))
    bare = faiss.IndexFlatIP(_DIMENSIONS)
    bare.add(gallery)
    times: dict[str, list[float]] = {"ours": [], "faiss": [], "numpy": []}
    found = 0
    for question in questions:
        mine = _timed(times["ours"], partial(ours.find, question, -1.0))
        _timed(times["faiss"], partial(bare.search, question[None], NEAREST))
        truth = _timed(times["numpy"], partial(_nearest, gallery, question))
        found += len({place for place, _ in mine} & set(truth))
    p50 = {name: float(np.percentile(values, 50)) for name, values in times.items()}
    return {
        "p50_ms": round(p50["ours"], 3),
        "bare_faiss_p50_ms": round(p50["faiss"], 3),
        "numpy_p50_ms": round(p50["numpy"], 3),
        "ratio": round(p50["ours"] / p50["faiss"], 3),
        "recall": round(found / (NEAREST * len(questions)), 5),
    }


def measure_names(count: int) -> dict[str, Any]:
    """Recall and time of names spelt otherwise, each with a date of birth that is mostly right; strangers who are stopped all the same."""
    listed = list(people(count, seed=1))
    started = time.perf_counter()
    index = NameIndex.build(
        NameRow(entry=row, name=_name(*person.names()), birth=packed(person.birth_date))
        for row, person in enumerate(listed)
    )
    built_s = time.perf_counter() - started
    chance = random.Random(2)
    times: list[float] = []
    asked, found = dict.fromkeys(Variation, 0), dict.fromkeys(Variation, 0)
    for turn in range(_NAME_QUESTIONS):
        row, variation = chance.randrange(count), list(Variation)[turn % len(Variation)]
        hits = _timed(times, partial(index.find, *_asked(listed[row], variation, chance)))
        asked[variation] += 1
        found[variation] += any(hit.entry == row for hit in hits)
    stopped = sum(
        bool(index.find(_name(*stranger.names()), stranger.birth_date)) for stranger in people(_STRANGERS, seed=3)
    )
    return {
        "entries": count,
        "p50_ms": round(float(np.percentile(times, 50)), 3),
        "p99_ms": round(float(np.percentile(times, 99)), 3),
        "recall": round(sum(found.values()) / sum(asked.values()), 4),
        "recall_by_kind": {kind.value: round(found[kind] / asked[kind], 4) for kind in Variation},
        "strangers_stopped": round(stopped / _STRANGERS, 4),
        "build_s": round(built_s, 1),
    }


def measure_documents(count: int) -> dict[str, float]:
    """Half of the questions are listed."""
    chance = random.Random(4)
    numbers = [f"{chance.getrandbits(40):09X}"[:9] for _ in range(count)]
    index = DocumentIndex.build(
        ((ListedDocument(issuer="UTO", number=number), row) for row, number in enumerate(numbers)), bytes(16)
    )
    times: list[float] = []
    wrong = 0
    for turn in range(2_000):
        is_listed = turn % 2 == 0
        number = chance.choice(numbers) if is_listed else f"Z{chance.getrandbits(32):08X}"
        rows = _timed(times, partial(index.find, ListedDocument(issuer="UTO", number=number)))
        wrong += bool(rows) is not is_listed
    return {"entries": count, "p50_ms": round(float(np.percentile(times, 50)), 4), "wrong": wrong}


def _asked(person: Person, variation: Variation, chance: random.Random) -> tuple[ListedName, str]:
    return _name(*varied(person, variation, chance)), varied_birth(person.birth_date, chance)


def _name(surname: str, given_names: str) -> ListedName:
    return ListedName(surname=surname, given_names=given_names)


def _nearest(gallery: Vectors, question: Vectors) -> list[int]:
    scores = gallery @ question
    return [int(place) for place in np.argpartition(scores, -NEAREST)[-NEAREST:]]


def _timed(times: list[float], ask: Callable[[], Answer]) -> Answer:
    started = time.perf_counter()
    answer = ask()
    times.append((time.perf_counter() - started) * 1e3)
    return answer


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _say(words: str) -> None:
    print(words, file=sys.stderr)


def _print(figures: dict[str, Any]) -> None:
    for size, row in figures["galleries"].items():
        print(f"{int(size):>10,} faces  " + "  ".join(f"{key} {value}" for key, value in row.items()))
    for kind in ("names", "documents"):
        for key, value in figures.get(kind, {}).items():
            print(f"{kind:10} {key:20} {value}")
