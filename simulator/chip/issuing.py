"""The state that issues the chips of a scenario's travellers, and whom its gates trust."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from drivers.chip.domain import standardised
from gate.checks.emrtd.certificate import read_certificate
from gate.checks.emrtd.revocation import read_revocation_list
from gate.checks.emrtd.store import TrustStore
from simulator.chip import attacks
from simulator.chip.card import VirtualChip
from simulator.chip.document import Choices, make_document, make_issuer, static_key
from simulator.chip.profile import PaceOption
from simulator.chip.vpicc import Card, SilentCard
from simulator.images import encode
from simulator.scenario import ChipKind

_P256 = 12


class IssuingState:
    """Utopia, with a document signer and a revocation list of the day."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._issuer, self._signer = make_issuer(now)

    @property
    def trusted(self) -> TrustStore:
        """What an honest gate has imported."""
        return TrustStore(
            certificates=(read_certificate(self._issuer.certificate),),
            revocation_lists=(read_revocation_list(self._issuer.crl()),),
        )

    def chip(self, lines: tuple[str, ...], picture_bgr: NDArray[np.uint8], kind: ChipKind) -> Card:
        """A chip for these lines of the zone with this picture: PACE and chip authentication on P-256."""
        if kind is ChipKind.SILENT:
            return SilentCard()
        choices = Choices(
            lines=lines,
            portrait=encode(picture_bgr),
            pace=(PaceOption(parameter_id=_P256),),
            chip_keys=(static_key(standardised(_P256)),),
        )
        paper = make_document(self._issuer, self._signer, choices)
        match kind:
            case ChipKind.GENUINE:
                pass
            case ChipKind.CLONE:
                paper = attacks.clone(paper)
            case ChipKind.SWAPPED_FACE:
                paper = attacks.swapped_face(paper)
            case ChipKind.FOREIGN_ISSUER:
                paper = attacks.foreign_issuer(paper, self._now)
            case ChipKind.NO_PACE:
                paper = attacks.no_pace(paper)
            case ChipKind.OTHER_DOCUMENT:
                paper = paper.changed(mrz=replace(paper.profile.mrz, document_number="X00000000"))
            case _:
                assert_never(kind)
        return VirtualChip(paper.profile)
