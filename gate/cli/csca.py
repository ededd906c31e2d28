"""``gate csca import|list|diff|export``: the certificates on whose word passports are believed."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from gate.checks.emrtd.certificate import Certificate
    from gate.checks.emrtd.importing import ImportReport
    from gate.checks.emrtd.store import TrustStore

_Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
_Store = Annotated[
    Path | None,
    typer.Option("--store", help="The trust store's file; without it, that of this user.", show_default=False),
]
_Files = Annotated[
    list[Path], typer.Argument(help="Master lists, LDIF, certificates, revocation lists, deviations; or folders.")
]


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(
        no_args_is_help=True, help="The trust store: country signing certificates and revocation lists."
    )
    group.command("import")(import_)
    group.command("list")(list_)
    group.command("diff")(diff)
    group.command("export")(export)
    app.add_typer(group, name="csca")


def import_(
    files: _Files,
    store: _Store = None,
    need_anchor: Annotated[
        bool,
        typer.Option("--need-anchor", help="Believe a master list only if its signer's CSCA is in the store already."),
    ] = False,
    signers: Annotated[
        bool, typer.Option("--signers", help="Keep document signers too, for documents that leave theirs out.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Check and take what the files hold; every certificate is kept or named with a reason. Exit 1 if something was not taken."""
    from datetime import UTC, datetime

    from gate.checks.emrtd.sources import gather
    from gate.checks.emrtd.store_file import save_store

    path, before = _opened(store, is_new_allowed=True)
    report = gather(files, datetime.now(UTC), store=before, needs_anchor=need_anchor, keeps_signers=signers)
    save_store(report.store, path)
    summary = _summary(report, before, path)
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))
    else:
        _print_import(summary)
    raise typer.Exit(1 if report.refused else 0)


def list_(
    store: _Store = None,
    country: Annotated[str | None, typer.Option("--country", help="Two letters.", show_default=False)] = None,
    as_json: _Json = False,
) -> None:
    """List the certificates, one a line: country, validity, key, whether its time is over."""
    from datetime import UTC, datetime

    path, loaded = _opened(store)
    now = datetime.now(UTC)
    rows = sorted(loaded.certificates, key=lambda item: (item.country, item.subject.text, item.not_before))
    shown = [item for item in rows if country is None or item.country == country.upper()]
    for item in shown:
        if as_json:
            typer.echo(json.dumps(_row(item, loaded, now), ensure_ascii=False))
        else:
            state = "" if item.is_valid_at(now) else "  (not valid now)"
            typer.echo(
                f"{item.country:3} {item.not_before:%Y-%m-%d} {item.not_after:%Y-%m-%d} {item.key.name:16} "
                f"{item.sha256[:16]}  {item.subject.text}{state}"
            )
    if not as_json:
        print(
            f"{len(shown)} certificates of {len({item.country for item in shown})} countries, {len(loaded.signers)} document signers, "
            f"{len(loaded.revocation_lists)} revocation lists, {len(loaded.deviations)} deviations in {path}",
            file=sys.stderr,
        )


def diff(files: _Files, store: _Store = None, as_json: _Json = False) -> None:
    """What the files hold and the store does not, and the other way round; nothing is changed. Exit 1 if they differ."""
    from datetime import UTC, datetime

    from gate.checks.emrtd.sources import gather

    _, loaded = _opened(store)
    now = datetime.now(UTC)
    # A list is checked against the store's anchors, but what it adds is counted by itself.
    given = gather(files, now, store=loaded)
    others = set(given.added) | given.known
    more = [item for item in given.store.certificates if item.sha256 in given.added]
    fewer = [item for item in loaded.certificates if item.sha256 not in others]
    if as_json:
        document = {
            "only_in_files": [_row(item, given.store, now) for item in more],
            "only_in_store": [_row(item, loaded, now) for item in fewer],
        }
        typer.echo(json.dumps(document, ensure_ascii=False))
    else:
        for sign, items in (("+", more), ("-", fewer)):
            for item in items:
                typer.echo(f"{sign} {item.country:3} {item.not_after:%Y-%m-%d} {item.title}")
        print(f"{len(more)} only in the files, {len(fewer)} only in the store", file=sys.stderr)
    raise typer.Exit(1 if more or fewer else 0)


def export(
    to: Annotated[
        Path, typer.Argument(help="A file ending in .pem or .json (a store), or a folder for one DER file each.")
    ],
    store: _Store = None,
    country: Annotated[str | None, typer.Option("--country", help="Two letters.", show_default=False)] = None,
    as_json: _Json = False,
) -> None:
    """Write the certificates to a PEM file (for openssl), another store, or a folder of DER files."""
    from gate.checks.emrtd.faults import ChipFault
    from gate.checks.emrtd.pem import write_pem
    from gate.checks.emrtd.store import TrustStore
    from gate.checks.emrtd.store_file import save_store

    _, loaded = _opened(store)
    chosen = [item for item in loaded.certificates if country is None or item.country == country.upper()]
    try:
        if to.suffix == ".json":
            lists = tuple(
                item for item in loaded.revocation_lists if country is None or item.country == country.upper()
            )
            save_store(TrustStore(certificates=tuple(chosen), revocation_lists=lists, deviations=loaded.deviations), to)
        elif to.suffix == ".pem":
            to.write_bytes(b"".join(write_pem("CERTIFICATE", item.der) for item in chosen))
        else:
            to.mkdir(parents=True, exist_ok=True)
            for item in chosen:
                (to / f"{item.country or 'XX'}-{item.sha256[:16]}.der").write_bytes(item.der)
    except OSError as error:
        raise ChipFault(f"{to} cannot be written ({error.strerror}); check the path") from None
    if as_json:
        typer.echo(json.dumps({"certificates": len(chosen), "to": str(to)}))
    else:
        print(f"{len(chosen)} certificates written to {to}", file=sys.stderr)


def _opened(path: Path | None, *, is_new_allowed: bool = False) -> tuple[Path, "TrustStore"]:
    from gate.checks.emrtd.store import TrustStore
    from gate.checks.emrtd.store_file import default_store_path, load_store

    place = path or default_store_path()
    if is_new_allowed and not place.exists():
        return place, TrustStore()
    return place, load_store(place)


def _summary(report: "ImportReport", before: "TrustStore", path: Path) -> dict[str, Any]:
    return {
        "store": str(path),
        "certificates": len(report.store.certificates),
        "added": len(report.added),
        "known": len(report.known),
        "by_origin": {
            origin: list(report.added.values()).count(origin) for origin in dict.fromkeys(report.added.values())
        },
        "document_signers": report.signers,
        "revocation_lists": len(report.lists),
        "deviations": len(report.deviations),
        "master_lists": [
            {
                "file": name,
                "certificates": len(item.certificates),
                "signer": item.signer.title,
                "anchor_sha256": item.anchor.sha256,
                "is_first_trust": item.is_first_trust,
                "signed": item.signing_time.isoformat() if item.signing_time else None,
            }
            for name, item in report.master_lists
        ],
        "countries": len(report.store.countries),
        "new_countries": sorted(report.store.countries - before.countries),
        "refused": [{"source": item.source, "title": item.title, "reason": item.reason} for item in report.refused],
        "notes": report.notes,
    }


def _print_import(summary: dict[str, Any]) -> None:
    for note in summary["notes"]:
        print(f"note: {note}", file=sys.stderr)
    for item in summary["refused"]:
        print(f"not taken: {item['title']} in {item['source']}: {item['reason']}", file=sys.stderr)
    origins = ", ".join(f"{count} {origin}" for origin, count in summary["by_origin"].items())
    print(
        f"{summary['added']} certificates added{f' ({origins})' if origins else ''}, {summary['known']} known, "
        f"{summary['document_signers']} document signers, {summary['revocation_lists']} revocation lists, "
        f"{summary['deviations']} deviations added, {len(summary['refused'])} not taken; "
        f"{summary['certificates']} certificates of {summary['countries']} countries in {summary['store']}",
        file=sys.stderr,
    )


def _row(item: "Certificate", store: "TrustStore", now: "datetime") -> dict[str, Any]:
    return {
        "country": item.country,
        "subject": item.subject.text,
        "issuer": item.issuer.text,
        "serial_number": f"{item.serial_number:x}",
        "not_before": item.not_before.isoformat(),
        "not_after": item.not_after.isoformat(),
        "is_valid": item.is_valid_at(now),
        "is_self_signed": item.is_self_issued and item.is_signed_by(item),
        "key": item.key.name,
        "key_id": item.key_id.hex() if item.key_id else None,
        "has_revocation_list": bool(store.revocation_lists_of(item)),
        "sha256": item.sha256,
    }
