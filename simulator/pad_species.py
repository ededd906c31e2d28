"""What is presented to a face camera, named as ``gate eval pad`` reports it."""

from enum import StrEnum


class Species(StrEnum):
    """What is presented. Attack instruments after ISO/IEC 30107-3: a print, a replay, a partial mask of paper."""

    LIVE = "live"
    PRINT_FLAT = "print-flat"
    PRINT_BENT = "print-bent"
    PRINT_CUT_OUT = "print-cut-out"
    SCREEN_STILL = "screen-still"
    SCREEN_VIDEO = "screen-video"


ATTACKS = tuple(species for species in Species if species is not Species.LIVE)
