"""``gate keys``: the keys with which a hub signs commands and lanes sign requests, and a port's own certificates."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gate.wire.rotation import Step

if TYPE_CHECKING:
    from config.schema import Site
    from gate.wire.authority import Authority

SiteOption = Annotated[Path, typer.Option("--site", help="The site file (TOML).")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]
FolderOption = Annotated[
    Path | None, typer.Option("--folder", help="Where the authority is (default: tls in the state folder).")
]


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help="The signing keys of a site, and its certificates.")
    group.callback()(_keys)
    group.command("init")(init)
    group.command("issue")(issue)
    group.command("rotate")(rotate)
    app.add_typer(group, name="keys")


def _keys() -> None:
    """The signing keys of a site, and its certificates."""


def init(
    site: SiteOption,
    tls: Annotated[
        bool, typer.Option("--tls", help="Also the port's authority, all certificates, and mosquitto's settings.")
    ] = False,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the keys that are missing: the hub's, and one per lane. A key that is there is never touched."""
    from config.loader import load_site
    from gate.wire.keyring import Keyring

    loaded = load_site(site)
    with _writing(loaded.keys_dir):
        made = Keyring(loaded.keys_dir).create_missing(lane.id for lane in loaded.lanes)
    for file, is_new in made.items():
        _tell(as_json, file=str(file), is_new=is_new)
    if tls:
        _init_tls(loaded, _authority(loaded, folder), as_json)


def _init_tls(site: "Site", authority: "Authority", as_json: bool) -> None:
    from gate.wire.identity import console_identity, hub_identity
    from gate.wire.mosquitto import access_list, settings
    from gate.wire.nats import USERS_FILE, users

    port = site.port.id
    names = [hub_identity(port), console_identity(port), *(lane.id for lane in site.lanes)]
    with _writing(authority.folder):
        _tell(as_json, file=str(authority.ca_file), is_new=authority.create_missing())
        for name in ("broker", *names):
            is_new = not authority.files(name)[0].exists()
            if is_new:
                authority.issue(name, hosts=_broker_hosts(site) if name == "broker" else ())
            _tell(as_json, file=str(authority.files(name)[0]), is_new=is_new)
        folder = authority.folder.absolute()
        (folder / "acl").write_text(access_list(port), encoding="utf-8")
        text = settings(folder=folder, listen="0.0.0.0", port=site.broker.port, storage=Path("/var/lib/mosquitto"))  # noqa: S104
        (folder / "mosquitto.conf").write_text(text, encoding="utf-8")
        (folder / USERS_FILE).write_text(users(port, [lane.id for lane in site.lanes]), encoding="utf-8")
    for name in ("acl", "mosquitto.conf", USERS_FILE):
        _tell(as_json, file=str(folder / name), is_new=True)


def issue(
    site: SiteOption,
    name: Annotated[str, typer.Option("--name", help="A lane's id, or hub, console or broker.", show_default=False)],
    host: Annotated[
        list[str] | None, typer.Option("--host", help="A broker's name or address, as clients call it.")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="How long it is good.")] = 397,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Issue a certificate, for the first time or anew. The one before stays good until it ends, so the two overlap."""
    from config.loader import load_site
    from gate.errors import GateError
    from gate.wire.identity import console_identity, hub_identity

    loaded = load_site(site)
    others = {"hub": hub_identity(loaded.port.id), "console": console_identity(loaded.port.id), "broker": "broker"}
    is_lane = loaded.lane(name) is not None
    if not is_lane and name not in others:
        raise GateError(
            f"there is no lane {name!r} at {loaded.port.id}: name one of the site file, or {', '.join(others)}"
        )
    authority = _authority(loaded, folder)
    known_as = name if is_lane else others[name]
    hosts = (host or _broker_hosts(loaded)) if known_as == "broker" else ()
    with _writing(authority.folder):
        certificate, key = authority.issue(known_as, hosts=hosts, days=days)
    _tell(as_json, file=str(certificate), key_file=str(key), ends=authority.ends(known_as).isoformat())


def rotate(
    site: SiteOption,
    step: Annotated[Step, typer.Option("--step", help="Do these in turn, with the others restarted in between.")],
    lane: Annotated[
        str | None, typer.Option("--lane", help="Exchange this lane's signing key (default: the hub's).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Exchange a signing key while everything runs: prepare the next, switch to it, finish with the last."""
    from config.loader import load_site
    from gate.errors import GateError
    from gate.wire.keyring import Keyring

    loaded = load_site(site)
    if lane is not None and loaded.lane(lane) is None:
        raise GateError(f"there is no lane {lane!r} at {loaded.port.id}: name one of the site file")
    keys = Keyring(loaded.keys_dir)
    with _writing(loaded.keys_dir):
        changed = keys.rotate(keys.hub_file() if lane is None else keys.lane_file(lane), step)
    _tell(as_json, file=str(changed), step=step.value, then=_THEN[step])


_THEN = {
    Step.PREPARE: "copy it to the key folders of those who verify, restart them, then --step switch",
    Step.SWITCH: "restart whose key it is; when nothing that the former key signed is under way, --step finish",
    Step.FINISH: "remove it from the key folders of those who verify, and restart them",
}


def _authority(site: "Site", folder: Path | None) -> "Authority":
    from gate.core.clock import SystemClock
    from gate.wire.authority import Authority

    return Authority(folder or site.state_dir / "tls", port=site.port.id, clock=SystemClock())


def _broker_hosts(site: "Site") -> list[str]:
    return sorted({site.broker.host, "localhost", "127.0.0.1"})


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    from gate.errors import GateError

    try:
        yield
    except OSError as error:
        raise GateError(f"keys cannot be written to {folder} ({error}): check its permissions") from None


def _tell(as_json: bool, **facts: str | bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
    elif "is_new" in facts:
        print(f"{'made' if facts['is_new'] else 'kept'} {facts['file']}", file=sys.stderr)
    else:
        print(", ".join(f"{name}: {value}" for name, value in facts.items()), file=sys.stderr)
