"""UN/EDIFACT PAXLST: advance passenger information of carriers (WCO/IATA/ICAO API guidelines, appendix II)."""

from gate.checks.paxlst.model import (
    Call,
    Capacity,
    Contact,
    Interchange,
    ListKind,
    Passenger,
    PassengerList,
    PaxlstError,
    PaxlstRead,
    Place,
    TravelDocument,
)
from gate.checks.paxlst.read import read_paxlst
from gate.checks.paxlst.syntax import Layout, Marks, Segment, SyntaxRead, read_segments, write_segments
from gate.checks.paxlst.write import write_paxlst

__all__ = [
    "Call",
    "Capacity",
    "Contact",
    "Interchange",
    "Layout",
    "ListKind",
    "Marks",
    "Passenger",
    "PassengerList",
    "PaxlstError",
    "PaxlstRead",
    "Place",
    "Segment",
    "SyntaxRead",
    "TravelDocument",
    "read_paxlst",
    "read_segments",
    "write_paxlst",
    "write_segments",
]
