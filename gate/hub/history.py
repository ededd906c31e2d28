"""What happened in a case, line by line, for the officer who opens it."""

from collections.abc import Collection, Sequence
from typing import Any

from gate.core.consent import Consent
from gate.core.inspection import InspectionWord
from gate.core.joint_release import Verdict
from gate.hub.records import CommandRecord, CommandState, StoredEvent
from gate.wire.messages import (
    AlarmCleared,
    AlarmRaised,
    CrossingDecided,
    CrossingEnded,
    DoorCommanded,
    DoorVetoed,
    EntryDecided,
    EvidenceRecorded,
    Message,
)


def history_of(
    *,
    events: Sequence[StoredEvent],
    refused_evidence: Collection[str],
    verdicts: Sequence[Verdict],
    commands: Sequence[CommandRecord],
    consents: Sequence[Consent] = (),
    inspections: Sequence[InspectionWord] = (),
) -> tuple[dict[str, Any], ...]:
    """Rows ``{at_ms, what, who, detail}`` by time. ``refused_evidence`` are the ids of evidence events that are not believed."""
    rows: list[tuple[int, int, int, dict[str, Any]]] = []

    def add(key: tuple[int, int, int], what: str, who: str, detail: str) -> None:
        rows.append((*key, {"at_ms": key[0], "what": what, "who": who, "detail": detail}))

    for event in events:
        what = event.type.value.removeprefix("tongguan.")
        detail = _detail(event.data)
        if event.id in refused_evidence:
            what, detail = "evidence.refused", "the hub does not believe this evidence"
        add((event.at_ms, 0, event.sequence), what, event.lane, detail)
    for verdict in verdicts:
        detail = f"{verdict.role} {verdict.reason}".strip()
        add((verdict.at_ms, 1, verdict.number), f"verdict.{verdict.kind.value}", verdict.author, detail)
    for consent in consents:
        detail = f"{consent.role} {consent.reason}".strip()
        add((consent.at_ms, 1, consent.number), "consent.force_open", consent.author, detail)
    for word in inspections:
        result = f"{word.role} {word.outcome.value if word.outcome else ''} {word.detail}"
        add((word.at_ms, 1, word.number), f"inspection.{word.act.value}", word.author, " ".join(result.split()))
    for command in commands:
        add((command.issued_ms, 2, command.seq), f"{command.act.value}.issued", command.author, command.note)
        if command.settled_ms is not None and command.state is not CommandState.SPENT:
            add(
                (command.settled_ms, 3, command.seq),
                f"{command.act.value}.{command.state.value}",
                "hub",
                command.reason,
            )
    return tuple(row for *_, row in sorted(rows, key=lambda item: item[:3]))


def _detail(data: Message) -> str:
    match data:
        case EvidenceRecorded():
            return f"revision {data.revision}"
        case EntryDecided():
            return " ".join(["admitted" if data.is_admitted else "not admitted", *data.reasons])
        case CrossingDecided():
            return " ".join([data.decision, *data.reasons])
        case CrossingEnded():
            return " ".join([data.outcome.value, *data.reasons])
        case DoorCommanded():
            return f"{data.door} {data.position} {data.purpose}"
        case DoorVetoed():
            return f"{data.door} {data.rule}"
        case AlarmRaised() | AlarmCleared():
            return data.reason
        case _:
            return ""
