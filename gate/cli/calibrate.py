"""``gate calibrate``: thresholds for a site, found on its own cameras' pictures, with the evidence."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gate.errors import GateError

if TYPE_CHECKING:
    from models.face.rates import OperatingPoint, ScoreCounts

ANSWER_IS_NO = 1


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
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Find the face threshold for a false match rate; write it with its evidence; say which line the site needs.

    All cross pairs count where the files' names tell who is who (see ``gate eval face``), the listed pairs otherwise. Exit code 1,
    and nothing written, if there are too few pairs of different people for ten false matches at that rate.
    """
    from gate.cli.eval_face import counted, embed_files, listed_scores, people_of, read_pairs
    from models.face.rates import cross_compare, operating_point

    listed = read_pairs(pairs)
    templates = embed_files(sorted({name for pair in listed for name in (pair.left, pair.right)}), images)
    people = people_of(listed, templates.files)
    if people is None:
        genuine, impostor = counted(*listed_scores(listed, templates.files, templates.plain))
    else:
        genuine, impostor = cross_compare(templates.plain, people)
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
    evidence = _evidence(point, genuine, impostor, pairs, templates.without_face)
    _write(output, evidence)
    if as_json:
        typer.echo(json.dumps(evidence))
    else:
        typer.echo(
            f"threshold {point.threshold:.4f}: at most {fmr:g} of {impostor.total} pairs of different people match, and "
            f"{point.fnmr:.2%} of {genuine.total} pairs of the same person do not ({point.low:.2%} to {point.high:.2%}).\n"
            f"Evidence: {output}. In the site's file, set:\n[policy]\nface_threshold = {point.threshold:.4f}"
        )


def _evidence(
    point: OperatingPoint, genuine: ScoreCounts, impostor: ScoreCounts, pairs: Path, without_face: tuple[str, ...]
) -> dict[str, Any]:
    from models.manifest import FACE_EMBEDDER, default_manifest

    return {
        "face_threshold": round(point.threshold, 4),
        "unit": "cosine, -1..1, one crop a picture",
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


def _write(path: Path, evidence: dict[str, Any]) -> None:
    import tomli_w

    try:
        path.write_text(tomli_w.dumps(evidence), encoding="utf-8")
    except OSError as error:
        raise GateError(f"{path} cannot be written ({error.strerror}); name a file in a writable folder") from error
