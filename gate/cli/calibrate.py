"""``gate calibrate``: thresholds for a site, found on its own cameras' pictures, with the evidence."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from enum import StrEnum
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gate.errors import GateError

if TYPE_CHECKING:
    from gate.cli.eval_face import Pair, Templates
    from models.face.rates import OperatingPoint, ScoreCounts

ANSWER_IS_NO = 1


class Pairing(StrEnum):
    """How the two pictures of a pair are embedded."""

    LANE = "lane"
    CAREFUL = "careful"
    PLAIN = "plain"


_PAIRING_UNITS = {
    Pairing.LANE: "cosine, -1..1, the reference embedded carefully, the live picture plainly, each way round",
    Pairing.CAREFUL: "cosine, -1..1, both pictures embedded carefully",
    Pairing.PLAIN: "cosine, -1..1, one crop a picture",
}


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help="Find a site's own thresholds, with their evidence.")
    group.command("face")(face)
    # A group of one command needs a callback to stay a group.
    group.callback()(lambda: None)
    app.add_typer(group, name="calibrate")


def face(
    pairs: Annotated[Path, typer.Option(help="CSV with the columns left,right,is_same (1 or 0).")],
    images: Annotated[Path, typer.Option(help="The folder of the pictures, taken by the site's own cameras.")],
    output: Annotated[Path, typer.Option(help="The evidence (TOML), to be kept beside the site's file.")],
    fmr: Annotated[float, typer.Option(min=1e-7, max=0.1, help="The false match rate that is aimed at.")] = 1e-4,
    pairing: Annotated[
        Pairing, typer.Option(help="What is compared: as a lane does, or both pictures alike.")
    ] = Pairing.LANE,
    site: Annotated[
        Path | None, typer.Option(help="Write the threshold into this site's file too.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Find the face threshold for a false match rate; write it with its evidence; with --site, set it there.

    A lane compares a carefully embedded portrait with plain live pictures: that pairing is measured unless another is asked for.

    All cross pairs count where the files' names tell who is who (see ``gate eval face``), the listed pairs otherwise. Exit code 1,
    and nothing written, if there are too few pairs of different people for ten false matches at that rate.
    """
    import tomli_w

    from gate.cli.eval_face import embed_files, read_pairs
    from gate.cli.site_file import with_face_threshold
    from models.face.rates import operating_point

    listed = read_pairs(pairs)
    if site is not None:
        with_face_threshold(site, 0.5, "")  # a file that cannot take the threshold is found before the long work
        if pairing is not Pairing.LANE:
            raise GateError(f"a lane compares as --pairing lane does; leave out --pairing {pairing} or --site")
    templates = embed_files(sorted({name for pair in listed for name in (pair.left, pair.right)}), images)
    genuine, impostor = _scores(listed, templates, pairing)
    try:
        point = operating_point(genuine, impostor, fmr)
    except ValueError as error:
        raise GateError(f"{pairs} is not enough to calibrate on: {error}") from error
    if not point.is_supported:
        needed = round(10 / fmr)
        typer.echo(
            f"{impostor.total} pairs of different people are too few for a false match rate of {fmr:g}: {needed} are needed",
            err=True,
        )
        raise typer.Exit(ANSWER_IS_NO)
    evidence = _evidence(point, genuine, impostor, pairs, templates.without_face) | {
        "pairing": pairing.value,
        "unit": _PAIRING_UNITS[pairing],
    }
    threshold = evidence["face_threshold"]
    _write(output, tomli_w.dumps(evidence))
    if site is not None:
        reason = f"calibrated for a false match rate of {fmr:g}: {output.name}"
        _write(site, with_face_threshold(site, threshold, reason))
    if as_json:
        typer.echo(json.dumps(evidence))
        return
    typer.echo(
        f"threshold {threshold:.4f}: at most {fmr:g} of {impostor.total} pairs of different people match, and "
        f"{point.fnmr:.2%} of {genuine.total} pairs of the same person do not ({point.low:.2%} to {point.high:.2%}).\n"
        f"Evidence: {output}. "
        + (
            f"{site} has it now."
            if site is not None
            else f"In the site's file, set:\n[policy]\nface_threshold = {threshold:.4f}"
        )
    )


def _scores(listed: list[Pair], templates: Templates, pairing: Pairing) -> tuple[ScoreCounts, ScoreCounts]:
    from gate.cli.eval_face import counted, listed_scores, people_of
    from models.face.rates import cross_compare, cross_compare_ordered

    people = people_of(listed, templates.files)
    references = templates.plain if pairing is Pairing.PLAIN else templates.careful
    lives = templates.plain if pairing is Pairing.LANE else None
    if people is None:
        return counted(*listed_scores(listed, templates.files, references, lives))
    if lives is None:
        return cross_compare(references, people)
    return cross_compare_ordered(references, lives, people)


def _evidence(
    point: OperatingPoint, genuine: ScoreCounts, impostor: ScoreCounts, pairs: Path, without_face: tuple[str, ...]
) -> dict[str, Any]:
    from models.manifest import FACE_EMBEDDER, default_manifest

    return {
        # Rounded up: rounded down, more than the rate could match.
        "face_threshold": ceil(point.threshold * 10_000) / 10_000,
        "false_match_rate": point.fmr,
        "false_non_match_rate": round(point.fnmr, 6),
        "false_non_match_rate_95_percent": [round(point.low, 6), round(point.high, 6)],
        "genuine_pairs": genuine.total,
        "impostor_pairs": impostor.total,
        "pictures_without_face": len(without_face),
        "model": FACE_EMBEDDER,
        "model_sha256": default_manifest().entry(FACE_EMBEDDER).sha256,
        "pairs_file": pairs.name,
        "pairs_sha256": hashlib.sha256(pairs.read_bytes()).hexdigest(),
        "calibrated_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise GateError(f"{path} cannot be written ({error.strerror}); name a file in a writable folder") from error
