"""The report of ``gate eval pad``: presentations that were judged, and the error rates of ISO/IEC 30107-3:2023 over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.pad.fusion import PadResult

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
LIVE = "live"
_LEAST_TO_FIT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """One presentation: a picture, a video file or a folder of frames. ``species``: ``live`` or the attack instrument's."""

    path: Path
    species: str

    @property
    def is_still(self) -> bool:
        return self.path.suffix.lower() in PICTURES


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A presentation with its scores; ``result`` None when no face was found."""

    presentation: Presentation
    scores: dict[str, float | None]
    result: PadResult | None


def summary(judged: Sequence[Judged]) -> dict[str, Any]:
    """The report's keys. Rates 0..1 with 95 % bounds (Wilson); ``apcer`` is the worst species'."""
    from models.pad.fusion import PadVerdict, default_calibration

    told = [item for item in judged if item.result is not None]
    has_sequences = any(not item.presentation.is_still for item in told)
    limit = default_calibration().limits.live if has_sequences else 0.0

    sums = {} if has_sequences else cross_fitted(told)

    def is_accepted(item: Judged) -> bool:
        if item.result is None:
            return False
        return item.result.verdict is PadVerdict.LIVE if has_sequences else sums[item.presentation.path] > 0

    live = [is_accepted(item) for item in told if item.presentation.species == LIVE]
    species = {
        name: [is_accepted(item) for item in told if item.presentation.species == name] for name in species_of(told)
    }
    by_species = [{"species": name, **rate("apcer", sum(passed), len(passed))} for name, passed in species.items()]
    by_species.sort(key=lambda row: -row["apcer"])
    unsure = [item for item in told if item.result is not None and item.result.verdict is PadVerdict.UNSURE]
    return {
        "live": sum(item.presentation.species == LIVE for item in judged),
        "attacks": sum(item.presentation.species != LIVE for item in judged),
        "apcer": by_species[0]["apcer"] if by_species else None,
        "bpcer": round(1 - sum(live) / len(live), 5) if live else None,
        "threshold": limit,
        "rule": "lane" if has_sequences else "still_pictures_cross_fitted",
        "by_species": by_species,
        "live_bounds": rate("bpcer", len(live) - sum(live), len(live)) if live else None,
        "unsure": {
            "live": sum(item.presentation.species == LIVE for item in unsure),
            "attacks": sum(item.presentation.species != LIVE for item in unsure),
        },
        "by_signal": {name: by_signal(name, told) for name in signal_names(told)},
        "without_face": [str(item.presentation.path) for item in judged if item.result is None],
    }


def cross_fitted(told: Sequence[Judged]) -> dict[Path, float]:
    """For each presentation the sum of its signals' log-likelihood ratios, fitted on the half of the set that it is not in.

    The halves are blocks of the files in order, because pictures of one person often follow each other.
    """
    import numpy as np

    from models.pad.fusion import fit

    half: dict[Path, int] = {}
    for species in {item.presentation.species for item in told}:
        of_kind = [item for item in told if item.presentation.species == species]
        half |= {item.presentation.path: 2 * i // len(of_kind) for i, item in enumerate(of_kind)}
    sums = {item.presentation.path: 0.0 for item in told}
    for side in (0, 1):
        others = [item for item in told if half[item.presentation.path] != side]
        for name in signal_names(told):
            pairs = [(item.presentation.species == LIVE, item.scores.get(name)) for item in others]
            live, attacks = (
                np.array([score for is_live, score in pairs if is_live is kind and score is not None], np.float64)
                for kind in (True, False)
            )
            if min(len(live), len(attacks)) < _LEAST_TO_FIT:
                continue
            line = fit(live, attacks, shows_life=False, measured_on="the other half")
            for item in told:
                score = item.scores.get(name)
                if half[item.presentation.path] == side and score is not None:
                    sums[item.presentation.path] += line.llr(score)
    return sums


def rate(name: str, count: int, total: int) -> dict[str, Any]:
    """A share with its 95 % bounds."""
    from models.face.rates import wilson

    low, high = wilson(count, total)
    return {name: round(count / total, 5), "low": round(low, 5), "high": round(high, 5), "of": total}


def by_signal(name: str, told: Sequence[Judged]) -> dict[str, Any]:
    """One signal alone, over the presentations for which it had evidence.

    At the threshold of its calibration; one that has none at this set's own equal error rate, which is the best that could be hoped for.
    """
    import numpy as np

    from models.pad.fusion import default_calibration

    scores = [(item.presentation.species, item.scores.get(name)) for item in told]
    live = np.array([score for species, score in scores if species == LIVE and score is not None], np.float64)
    attacks = np.array([score for species, score in scores if species != LIVE and score is not None], np.float64)
    row: dict[str, Any] = {
        "apcer": None,
        "bpcer": None,
        "eer": equal_error_rate(live, attacks),
        "threshold": None,
        "evidence": {LIVE: len(live), "attacks": len(attacks)},
    }
    calibration = default_calibration().signal.get(name)
    if calibration is not None:
        row["threshold"] = round(calibration.threshold, 5)
        row["measured_on"] = calibration.measured_on
    elif (own := equal_error_threshold(live, attacks)) is not None:
        row["threshold"] = round(own, 5)
        row["measured_on"] = "this set, at its equal error rate"
    else:
        return row

    def is_passed(score: float) -> bool:
        return calibration.llr(score) > 0 if calibration is not None else score >= (own or 0.0)

    passes = {
        species: [is_passed(score) for s, score in scores if s == species and score is not None]
        for species in species_of(told)
    }
    rows = [{"species": species, **rate("apcer", sum(p), len(p))} for species, p in passes.items() if p]
    rows.sort(key=lambda item: -item["apcer"])
    row["by_species"] = rows
    row["apcer"] = rows[0]["apcer"] if rows else None
    if len(live):
        row["bpcer"] = round(float(np.mean([not is_passed(float(score)) for score in live])), 5)
    return row


def equal_error_threshold(live: NDArray[np.float64], attacks: NDArray[np.float64]) -> float | None:
    """Where as large a share of attacks scores at or above it as of live presentations below it; None without both."""
    import numpy as np

    if len(live) == 0 or len(attacks) == 0:
        return None
    thresholds = np.unique(np.concatenate([live, attacks]))
    gaps = [abs((attacks >= t).mean() - (live < t).mean()) for t in thresholds]
    return float(thresholds[int(np.argmin(gaps))])


def equal_error_rate(live: NDArray[np.float64], attacks: NDArray[np.float64]) -> float | None:
    """The mean of both shares at :func:`equal_error_threshold`; None without live presentations or without attacks."""
    threshold = equal_error_threshold(live, attacks)
    if threshold is None:
        return None
    return round(float(((attacks >= threshold).mean() + (live < threshold).mean()) / 2), 5)


def species_of(told: Sequence[Judged]) -> list[str]:
    """The attack species that were judged, by name."""
    return sorted({item.presentation.species for item in told} - {LIVE})


def signal_names(told: Sequence[Judged]) -> list[str]:
    """Every signal that was asked."""
    return list(dict.fromkeys(name for item in told for name in item.scores))


def in_words(report: dict[str, Any]) -> str:
    """The report for a person to read."""
    lines = [
        f"{report['live']} live presentations, {report['attacks']} attacks, {len(report['without_face'])} without a face"
    ]
    for row in report["by_species"]:
        lines.append(f"  {row['species']}: APCER {row['apcer']:.1%} (95 %: {row['low']:.1%} to {row['high']:.1%})")
    if report["live_bounds"]:
        row = report["live_bounds"]
        lines.append(f"  BPCER {row['bpcer']:.1%} (95 %: {row['low']:.1%} to {row['high']:.1%})")
    for name, row in report["by_signal"].items():
        eer = "no evidence" if row["eer"] is None else f"EER {row['eer']:.1%}"
        alone = (
            ""
            if row["apcer"] is None or row["bpcer"] is None
            else f", APCER {row['apcer']:.1%}, BPCER {row['bpcer']:.1%}"
        )
        lines.append(
            f"{name}: {eer}{alone} (evidence: {row['evidence'][LIVE]} live, {row['evidence']['attacks']} attacks)"
        )
    return "\n".join(lines)
