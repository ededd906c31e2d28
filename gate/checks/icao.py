"""Codes and transliteration of ICAO Doc 9303 part 3 (8th edition), sections 5 and 6. Pure, standard library only."""

import unicodedata

# Section 5: ISO 3166-1 alpha-3 codes in travel documents, then the codes that only Doc 9303 knows.
_ISO_CODES = """
ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR BHR BHS BIH BLM BLR BLZ BMU BOL
BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL COM CPV CRI CUB CUW CXR CYM CYP CZE DJI DMA DNK DOM DZA
ECU EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM GAB GBR GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL GTM GUF GUM GUY HKG
HMD HND HRV HTI HUN IDN IMN IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA
LIE LKA LSO LTU LUX LVA MAC MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS MWI MYS MYT NAM NCL
NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN PCN PER PHL PLW PNG POL PRI PRK PRT PRY PSE PYF QAT REU ROU RUS RWA SAU SDN
SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM SYC SYR TCA TCD TGO THA TJK TKL TKM TLS TON TTO
TUN TUR TUV TWN TZA UGA UKR UMI URY USA UZB VAT VCT VEN VGB VIR VNM VUT WLF WSM YEM ZAF ZMB ZWE
"""
_DOC_9303_CODES = """
D EUE GBD GBN GBO GBP GBS RKS UNO UNA UNK XBA XIM XCC XCE XCO XEC XPO XES XMP XOM XDC XXA XXB XXC XXX
"""
SPECIMEN_STATE = "UTO"

STATE_CODES = frozenset((_ISO_CODES + _DOC_9303_CODES).split())

# Section 6 A: letters whose transliteration is more than dropping the accent.
_TRANSLITERATION = {
    "Ä": "AE", "Æ": "AE", "Å": "AA", "Ö": "OE", "Ø": "OE", "Œ": "OE", "Ü": "UE", "ß": "SS", "ẞ": "SS", "Þ": "TH",
    "Ð": "D", "Đ": "D", "Ħ": "H", "ı": "I", "Ł": "L", "Ŋ": "N", "Ŧ": "T", "Ñ": "N", "Ĳ": "IJ", "ĸ": "K",
}  # fmt: skip


def is_state_code(code: str) -> bool:
    """Return whether ``code`` (without fillers) is an issuer or nationality code in use; specimens' UTO is not."""
    return code in STATE_CODES


def transliterate(name: str) -> str:
    """Return a Latin name in MRZ letters and spaces (section 6 A; apostrophes vanish, hyphens become spaces, 4.6).

    Raises ValueError for a letter of another script, which the issuer transliterates by its own table.
    """
    result = []
    for character in name.upper():
        base = unicodedata.normalize("NFD", character)[0]
        if character in _TRANSLITERATION:
            result.append(_TRANSLITERATION[character])
        elif base.isascii() and base.isalpha():
            result.append(base)
        elif character in "- ":
            result.append(" ")
        elif character not in "'’.,":
            raise ValueError(f"{character!r} has no transliteration here")
    return " ".join("".join(result).split())
