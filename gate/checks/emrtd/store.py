"""The trust store in memory: country signing certificates and revocation lists, found by name and key identifier.

A certificate is in the store because somebody put it there after the checks of :mod:`gate.checks.emrtd.importing`; being there is being
trusted. A country may have any number of them, and link certificates stand beside the roots that they lead to.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from gate.checks.emrtd.certificate import Certificate
from gate.checks.emrtd.keys import Verdict
from gate.checks.emrtd.names import Name
from gate.checks.emrtd.results import CheckName
from gate.checks.emrtd.revocation import RevocationList

EXCUSABLE = frozenset(
    {
        CheckName.DSC_VALIDITY,
        CheckName.DSC_PROFILE,
        CheckName.CSCA_VALIDITY,
        CheckName.COM_CONSISTENCY,
        CheckName.COUNTRY_MATCH,
        CheckName.SOD_STRUCTURE,
        CheckName.ALGORITHM_STRENGTH,
    }
)
"""What a deviation may excuse. Signatures, digests, chains and revocations are never excused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A known defect of a state's documents that is to be excused, as deviation lists name them (Doc 9303 part 12, 10).

    ``country``: two capitals; ``check``: one of :data:`EXCUSABLE`; ``key_id``: of the one CSCA meant, None for all of the country's;
    ``signed_before``: documents signed by certificates issued before this time only.
    """

    country: str
    check: CheckName
    reason: str
    key_id: bytes | None = None
    signed_before: datetime | None = None

    def __post_init__(self) -> None:
        if self.check not in EXCUSABLE:
            raise ValueError(f"{self.check} cannot be excused by any deviation")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustStore:
    """Certificates, revocation lists and deviations; immutable, its indices made once.

    ``certificates`` are trusted. ``signers`` are not: document signers for documents that leave theirs out, verified like any other.
    """

    certificates: tuple[Certificate, ...] = ()
    signers: tuple[Certificate, ...] = ()
    revocation_lists: tuple[RevocationList, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    _by_name: dict[Name, list[Certificate]] = field(init=False, repr=False, compare=False)
    _by_key_id: dict[bytes, list[Certificate]] = field(init=False, repr=False, compare=False)
    _lists: dict[Name, list[RevocationList]] = field(init=False, repr=False, compare=False)
    _verified: dict[str, bool] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        by_name: dict[Name, list[Certificate]] = defaultdict(list)
        by_key_id: dict[bytes, list[Certificate]] = defaultdict(list)
        lists: dict[Name, list[RevocationList]] = defaultdict(list)
        for certificate in self.certificates:
            by_name[certificate.subject].append(certificate)
            if certificate.key_id is not None:
                by_key_id[certificate.key_id].append(certificate)
        for revocations in sorted(self.revocation_lists, key=lambda item: item.this_update, reverse=True):
            lists[revocations.issuer].append(revocations)
        object.__setattr__(self, "_by_name", dict(by_name))
        object.__setattr__(self, "_by_key_id", dict(by_key_id))
        object.__setattr__(self, "_lists", dict(lists))

    def __contains__(self, certificate: Certificate) -> bool:
        return certificate in self._by_name.get(certificate.subject, ())

    @property
    def countries(self) -> frozenset[str]:
        return frozenset(certificate.country for certificate in self.certificates)

    def candidates(self, certificate: Certificate) -> Iterator[Certificate]:
        """Who may have issued ``certificate``: first those whose key it names, then those whose name it gives. No signature is tried."""
        seen = set()
        named = certificate.authority_key_id
        for found in (*(self._by_key_id.get(named, ()) if named else ()), *self._by_name.get(certificate.issuer, ())):
            if found.sha256 not in seen:
                seen.add(found.sha256)
                yield found

    def issuer_of(self, certificate: Certificate, *, moment: datetime | None = None) -> Certificate | None:
        """Return who signed ``certificate``: of several with one key, one that is valid at ``moment`` if there is any."""
        found = None
        # A root before a link certificate that does not own to being a certification authority's.
        for candidate in sorted(self.candidates(certificate), key=lambda item: item.is_ca is not True):
            # The same key may stand in a root and in a link certificate; the first that fits will do unless it is out of date.
            if found is not None and candidate.key != found.key:
                continue
            if found is None and not certificate.is_signed_by(candidate):
                continue
            if moment is None or candidate.is_valid_at(moment):
                return candidate
            found = found or candidate
        return found

    def unsupported_issuer(self, certificate: Certificate) -> str | None:
        """Why a signature by a candidate could not be verified at all, None if there was no such candidate."""
        for candidate in self.candidates(certificate):
            verification = certificate.verified_by(candidate)
            if verification.verdict is Verdict.NOT_SUPPORTED:
                return verification.reason
        return None

    def revocation_lists_of(self, issuer: Certificate) -> tuple[RevocationList, ...]:
        """Return the lists under the issuer's name, those by its own key first, then the newest first.

        After a change of keys a state signs its list with the new one, for signers of the old ones as well; so any key that stands in the
        store under that name will do. Each signature is verified once and remembered.
        """
        lists = [item for item in self._lists.get(issuer.subject, ()) if self._is_verified(item)]
        return tuple(sorted(lists, key=lambda item: item.authority_key_id != issuer.key_id))

    def _is_verified(self, revocations: RevocationList) -> bool:
        known = self._verified.get(revocations.sha256)
        if known is None:
            known = any(
                (signer.uses is None or "crl_sign" in signer.uses)
                and revocations.verified_by(signer).verdict is Verdict.VALID
                for signer in self._by_name.get(revocations.issuer, ())
            )
            self._verified[revocations.sha256] = known
        return known

    def excuse(self, check: CheckName, issuer: Certificate, signer: Certificate) -> Deviation | None:
        """Return the deviation that excuses a failed ``check`` of a document signed under ``issuer``, None if there is none."""
        for item in self.deviations:
            if item.check is not check or item.country != issuer.country:
                continue
            if item.key_id is not None and item.key_id != issuer.key_id:
                continue
            if item.signed_before is None or signer.not_before < item.signed_before:
                return item
        return None


def merged(
    store: TrustStore,
    *,
    certificates: Iterable[Certificate] = (),
    signers: Iterable[Certificate] = (),
    lists: Iterable[RevocationList] = (),
    deviations: Iterable[Deviation] = (),
) -> TrustStore:
    """Return a store with these as well; nothing is in it twice."""
    return TrustStore(
        signers=tuple({item.sha256: item for item in (*store.signers, *signers)}.values()),
        certificates=tuple({item.sha256: item for item in (*store.certificates, *certificates)}.values()),
        revocation_lists=tuple({item.sha256: item for item in (*store.revocation_lists, *lists)}.values()),
        deviations=tuple(dict.fromkeys((*store.deviations, *deviations))),
    )
