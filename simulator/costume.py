"""What cameras see of a traveller: their document on the glass, their face as they walk up. Rendered once, before they come."""

import threading
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator.chip.issuing import IssuingState
from simulator.chip.vpicc import Card
from simulator.frames import MILD, UNREADABLE, DocumentDamage, document_frame
from simulator.images import encode
from simulator.lane_twin import Reel
from simulator.pad_film import Film, film_of, film_of_two
from simulator.passports import Passport, crop_portrait, render_page
from simulator.photos import PhotoLibrary
from simulator.scenario import DocumentSpec, TravellerSpec

_PAGE_FRAMES = 3
_FILM_SEED = 1
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Costume:
    """The pictures of one traveller. ``walking`` is shown from the way in on, ``standing`` at the line if others are there."""

    document: Reel
    walking: Film
    standing: Film | None
    chip: Card | None = None


def dress(spec: TravellerSpec, photos: PhotoLibrary, *, seed: int, state: IssuingState | None = None) -> Costume:
    """Render everything. The live frames are of another photograph than the portrait where there is one. ``state`` makes chips."""
    costume = _dress(spec, photos, seed=seed)
    if state is None or spec.document.chip is None:
        return costume
    owner = photos.person(spec.document.chip_portrait_of or spec.person).portrait
    picture = crop_portrait(owner.load(), owner.face_px)
    return replace(costume, chip=state.chip(passport_of(spec.document).mrz_lines(), picture, spec.document.chip))


def _dress(spec: TravellerSpec, photos: PhotoLibrary, *, seed: int) -> Costume:
    rng = np.random.default_rng(seed)
    bearer = photos.person(spec.person)
    portrait_owner = photos.person(spec.document.portrait_of or spec.person)
    portrait = crop_portrait(portrait_owner.portrait.load(), portrait_owner.portrait.face_px)
    page = render_page(passport_of(spec.document), portrait)
    damage = UNREADABLE if spec.document.is_unreadable else _damage(spec.document)
    document = Reel(_still_frames(page, damage, rng))
    live = bearer.live if portrait_owner.person_id == bearer.person_id else bearer.portrait
    if spec.shows is not None:
        shown = portrait_owner.portrait if spec.shows.is_portrait else portrait_owner.live
        return Costume(
            document=document, walking=film_of(shown, seed=_FILM_SEED, species=spec.shows.species), standing=None
        )
    company = None if spec.followed_by is None else photos.person(spec.followed_by).live
    standing = None if company is None else film_of_two(live, company, seed=_FILM_SEED)
    return Costume(document=document, walking=film_of(live, seed=_FILM_SEED), standing=standing)


def _damage(spec: DocumentSpec) -> DocumentDamage:
    if not spec.is_upside_down:
        return MILD
    return DocumentDamage(perspective_ratio=MILD.perspective_ratio, blur_px=MILD.blur_px, is_upside_down=True)


class Wardrobe:
    """The costumes of a scenario's travellers, each rendered once."""

    def __init__(self, photos: PhotoLibrary, *, seed: int, state: IssuingState | None = None) -> None:
        """``state`` issues the chips of those whose documents have one; None: nobody's has."""
        self._photos = photos
        self._state = state
        self._seed = seed
        self._lock = threading.Lock()
        self._costumes: dict[str, Costume] = {}

    def costume(self, spec: TravellerSpec) -> Costume:
        """The costume of ``spec``, rendered now if it was not before."""
        with self._lock:
            if spec.id not in self._costumes:
                self._costumes[spec.id] = dress(
                    spec, self._photos, seed=self._seed + len(self._costumes), state=self._state
                )
            return self._costumes[spec.id]


def _still_frames(page: Image, damage: DocumentDamage, rng: np.random.Generator) -> tuple[bytes, ...]:
    """The page lies still: one position, fresh sensor noise in each frame."""
    still = document_frame(page, rng=rng, damage=damage).astype(np.int16)
    noise = (rng.normal(0, 2, still.shape) for _ in range(_PAGE_FRAMES))
    return tuple(encode(np.clip(still + grain, 0, 255).astype(np.uint8)) for grain in noise)


def passport_of(spec: DocumentSpec) -> Passport:
    """The passport that the specification describes."""
    return Passport(
        issuer=spec.issuer,
        nationality=spec.nationality,
        document_number=spec.number,
        primary_name=spec.surname,
        secondary_name=spec.given_names,
        birth_date=spec.birth,
        sex=spec.sex,
        expiry_date=spec.expires,
        wrong_check=spec.wrong_check,
    )
