"""States, organisations and persons without a nationality, by the codes that travel documents carry. Pure, standard library only.

Source: ICAO Doc 9303, 8th edition, part 3 section 5 (ISO 3166-1 alpha-3 with Doc 9303's own codes). Names are short English ones
for an officer's screen and take no position on any territory. A code that is not in use is a finding, never a parser's refusal.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

SPECIMEN_STATE = "UTO"


class CodeStatus(StrEnum):
    """What is known of a code. SPECIMEN is Doc 9303's Utopia, which only examples carry."""

    IN_USE = "in_use"
    SPECIMEN = "specimen"
    UNKNOWN = "unknown"


# Part A: ISO 3166-1 alpha-3. Germany is not among them: its documents carry D.
_STATES = """
ABW Aruba;AFG Afghanistan;AGO Angola;AIA Anguilla;ALA Åland Islands;ALB Albania;AND Andorra;ARE United Arab Emirates;
ARG Argentina;ARM Armenia;ASM American Samoa;ATA Antarctica;ATF French Southern Territories;ATG Antigua and Barbuda;
AUS Australia;AUT Austria;AZE Azerbaijan;BDI Burundi;BEL Belgium;BEN Benin;BES Bonaire, Sint Eustatius and Saba;
BFA Burkina Faso;BGD Bangladesh;BGR Bulgaria;BHR Bahrain;BHS Bahamas;BIH Bosnia and Herzegovina;BLM Saint Barthélemy;
BLR Belarus;BLZ Belize;BMU Bermuda;BOL Bolivia;BRA Brazil;BRB Barbados;BRN Brunei Darussalam;BTN Bhutan;BVT Bouvet Island;
BWA Botswana;CAF Central African Republic;CAN Canada;CCK Cocos (Keeling) Islands;CHE Switzerland;CHL Chile;CHN China;
CIV Côte d'Ivoire;CMR Cameroon;COD Democratic Republic of the Congo;COG Congo;COK Cook Islands;COL Colombia;COM Comoros;
CPV Cabo Verde;CRI Costa Rica;CUB Cuba;CUW Curaçao;CXR Christmas Island;CYM Cayman Islands;CYP Cyprus;CZE Czechia;
DJI Djibouti;DMA Dominica;DNK Denmark;DOM Dominican Republic;DZA Algeria;ECU Ecuador;EGY Egypt;ERI Eritrea;
ESH Western Sahara;ESP Spain;EST Estonia;ETH Ethiopia;FIN Finland;FJI Fiji;FLK Falkland Islands (Malvinas);FRA France;
FRO Faroe Islands;FSM Micronesia;GAB Gabon;GBR United Kingdom;GEO Georgia;GGY Guernsey;GHA Ghana;GIB Gibraltar;GIN Guinea;
GLP Guadeloupe;GMB Gambia;GNB Guinea-Bissau;GNQ Equatorial Guinea;GRC Greece;GRD Grenada;GRL Greenland;GTM Guatemala;
GUF French Guiana;GUM Guam;GUY Guyana;HKG Hong Kong, China;HMD Heard and McDonald Islands;HND Honduras;HRV Croatia;HTI Haiti;
HUN Hungary;IDN Indonesia;IMN Isle of Man;IND India;IOT British Indian Ocean Territory;IRL Ireland;IRN Iran;IRQ Iraq;
ISL Iceland;ISR Israel;ITA Italy;JAM Jamaica;JEY Jersey;JOR Jordan;JPN Japan;KAZ Kazakhstan;KEN Kenya;KGZ Kyrgyzstan;
KHM Cambodia;KIR Kiribati;KNA Saint Kitts and Nevis;KOR Republic of Korea;KWT Kuwait;LAO Lao People's Democratic Republic;
LBN Lebanon;LBR Liberia;LBY Libya;LCA Saint Lucia;LIE Liechtenstein;LKA Sri Lanka;LSO Lesotho;LTU Lithuania;LUX Luxembourg;
LVA Latvia;MAC Macao, China;MAF Saint Martin (French part);MAR Morocco;MCO Monaco;MDA Republic of Moldova;MDG Madagascar;
MDV Maldives;MEX Mexico;MHL Marshall Islands;MKD North Macedonia;MLI Mali;MLT Malta;MMR Myanmar;MNE Montenegro;MNG Mongolia;
MNP Northern Mariana Islands;MOZ Mozambique;MRT Mauritania;MSR Montserrat;MTQ Martinique;MUS Mauritius;MWI Malawi;
MYS Malaysia;MYT Mayotte;NAM Namibia;NCL New Caledonia;NER Niger;NFK Norfolk Island;NGA Nigeria;NIC Nicaragua;NIU Niue;
NLD Netherlands;NOR Norway;NPL Nepal;NRU Nauru;NZL New Zealand;OMN Oman;PAK Pakistan;PAN Panama;PCN Pitcairn;PER Peru;
PHL Philippines;PLW Palau;PNG Papua New Guinea;POL Poland;PRI Puerto Rico;PRK Democratic People's Republic of Korea;
PRT Portugal;PRY Paraguay;PSE Palestine;PYF French Polynesia;QAT Qatar;REU Réunion;ROU Romania;RUS Russian Federation;
RWA Rwanda;SAU Saudi Arabia;SDN Sudan;SEN Senegal;SGP Singapore;SGS South Georgia and South Sandwich Islands;
SHN Saint Helena, Ascension and Tristan da Cunha;SJM Svalbard and Jan Mayen;SLB Solomon Islands;SLE Sierra Leone;
SLV El Salvador;SMR San Marino;SOM Somalia;SPM Saint Pierre and Miquelon;SRB Serbia;SSD South Sudan;
STP Sao Tome and Principe;SUR Suriname;SVK Slovakia;SVN Slovenia;SWE Sweden;SWZ Eswatini;SXM Sint Maarten (Dutch part);
SYC Seychelles;SYR Syrian Arab Republic;TCA Turks and Caicos Islands;TCD Chad;TGO Togo;THA Thailand;TJK Tajikistan;
TKL Tokelau;TKM Turkmenistan;TLS Timor-Leste;TON Tonga;TTO Trinidad and Tobago;TUN Tunisia;TUR Türkiye;TUV Tuvalu;
TWN Taiwan, China;TZA United Republic of Tanzania;UGA Uganda;UKR Ukraine;UMI United States Minor Outlying Islands;
URY Uruguay;USA United States of America;UZB Uzbekistan;VAT Holy See;VCT Saint Vincent and the Grenadines;VEN Venezuela;
VGB Virgin Islands (British);VIR Virgin Islands (United States);VNM Viet Nam;VUT Vanuatu;WLF Wallis and Futuna;WSM Samoa;
YEM Yemen;ZAF South Africa;ZMB Zambia;ZWE Zimbabwe;D Germany
"""
# Parts B to D: British nationalities, the European Union, the United Nations, other issuing authorities.
_AUTHORITIES = """
GBD British Overseas Territories citizen;GBN British National (Overseas);GBO British Overseas citizen;
GBP British protected person;GBS British subject;EUE European Union (laissez-passer);RKS Kosovo;
UNO United Nations Organization;UNA United Nations specialized agency;UNK United Nations Interim Administration Mission in Kosovo;
XBA African Development Bank;XIM African Export-Import Bank;XCC Caribbean Community;XCE Council of Europe;
XCO Common Market for Eastern and Southern Africa;XEC Economic Community of West African States;XPO INTERPOL;
XES Organization of Eastern Caribbean States;XMP Parliamentary Assembly of the Mediterranean;
XOM Sovereign Military Order of Malta;XDC Southern African Development Community
"""
# Part E: nationality of a person who has none that is defined.
_PERSONS = """
XXA stateless person (1954 Convention);XXB refugee (1951 Convention, 1967 Protocol);XXC refugee (other);XXX unspecified nationality
"""


def _table(text: str) -> dict[str, str]:
    rows = (row.strip().partition(" ") for row in text.replace("\n", "").split(";"))
    return {code: name for code, _, name in rows}


PERSONS: Mapping[str, str] = MappingProxyType(_table(_PERSONS))
"""Codes that stand for a nationality and never for an issuer."""
NAMES: Mapping[str, str] = MappingProxyType(_table(_STATES) | _table(_AUTHORITIES) | _table(_PERSONS))
"""Every code in use with its name."""


def issuer_status(code: str) -> CodeStatus:
    """Return what is known of an issuer's code, given without fillers."""
    return CodeStatus.UNKNOWN if code in PERSONS else nationality_status(code)


def nationality_status(code: str) -> CodeStatus:
    """Return what is known of a nationality's code, given without fillers."""
    if code == SPECIMEN_STATE:
        return CodeStatus.SPECIMEN
    return CodeStatus.IN_USE if code in NAMES else CodeStatus.UNKNOWN


def name_of(code: str) -> str | None:
    """Return the name of a code in use, None for any other."""
    return NAMES.get(code)
