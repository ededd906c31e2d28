"""The steps of exchanging a signing key. Apart from the keys, so that naming them costs a command line nothing."""

from enum import StrEnum


class Step(StrEnum):
    """How one signing key follows another while everything runs.

    After PREPARE the next key's public half is handed to those who verify; after SWITCH the next one signs; after FINISH the former one
    is believed no more. Those who verify read the folder when they start.
    """

    PREPARE = "prepare"
    SWITCH = "switch"
    FINISH = "finish"
