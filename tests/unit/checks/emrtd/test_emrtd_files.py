"""TLV, EF.COM, data groups and the face picture: what is read, and that nothing but a ChipFault comes of what is wrong."""

import pytest
from emrtd_kit import COM, GROUPS, JPEG, LINES, signer

from gate.checks.emrtd.ber import definite
from gate.checks.emrtd.face import FaceEncoding, read_faces
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.lds import read_com, read_dg1, read_dg11, read_dg12, read_dg14, read_dg15
from gate.checks.emrtd.security_object import read_security_object, read_sod
from gate.checks.emrtd.signed_data import read_signed_data
from gate.checks.emrtd.tlv import descend, read_element, read_elements, read_file, trim_file
from simulator.chip.files import FaceEncoding as Written
from simulator.chip.files import make_dg1, make_dg2, make_dg11, make_dg12, make_dg14, make_dg15
from simulator.chip.sod import make_security_object, make_sod
from simulator.chip.tlv import integer, oid, tlv

JP2 = b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(100)
JPC = b"\xff\x4f\xff\x51" + bytes(100)
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")


# --- TLV ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "tag", "value", "end"),
    [
        ("0403010203", 0x04, "010203", 5),
        ("5f1f0161", 0x5F1F, "61", 4),
        ("7f610100ff", 0x7F61, "00", 4),
        ("5f818101aa", 0x5F8181, None, 0),
        ("04810161", 0x04, "61", 4),
        ("0482000161", 0x04, "61", 5),
        ("048400000001ff", 0x04, "ff", 7),
        ("0400", 0x04, "", 2),
    ],
)
def test_one_data_object(octets: str, tag: int, value: str | None, end: int) -> None:
    if value is None:
        with pytest.raises(ChipFault, match="beyond three octets"):
            read_element(bytes.fromhex(octets))
        return
    element = read_element(bytes.fromhex(octets))
    assert (element.tag, element.value.hex(), element.end) == (tag, value, end)


@pytest.mark.parametrize(
    "octets",
    ["", "04", "5f", "5f81", "0480", "04850000000001", "0402ff", "0482", "048200", "04ffffff", "0484ffffffff00"],
)
def test_what_is_no_data_object(octets: str) -> None:
    with pytest.raises(ChipFault):
        read_element(bytes.fromhex(octets))


def test_a_thousand_levels_cost_one() -> None:
    nested = b""
    for _ in range(5000):
        nested = tlv(0x30, nested)
    assert read_element(nested).end == len(nested)
    assert descend(nested, *([0x30] * 100)) is not None
    assert descend(nested, 0x30, 0x31) is None


def test_more_siblings_than_any_file_has_are_refused() -> None:
    with pytest.raises(ChipFault, match="more than 512"):
        read_elements(bytes.fromhex("0400") * 513)
    assert len(read_elements(bytes.fromhex("0400") * 512)) == 512


def test_a_file_is_its_one_object_and_padding() -> None:
    assert read_file(COM + bytes(3), 0x60, "EF.COM") == COM[2:]
    assert trim_file(COM + bytes(3), "EF.COM") == COM
    with pytest.raises(ChipFault, match=r"EF\.COM begins with tag 61"):
        read_file(GROUPS[1], 0x60, "EF.COM")
    with pytest.raises(ChipFault, match=r"EF\.COM is cut short"):
        read_file(COM[:-1], 0x60, "EF.COM")


def indefinite(octets: bytes) -> bytes:
    """A message as a stream writes it: the outer elements and the content without lengths, the content in pieces."""
    info = read_elements(read_element(octets).value)
    signed = read_elements(read_element(info[1].value).value)
    whole = [tlv(element.tag, element.value) for element in signed]
    kind, content = read_elements(signed[2].value)
    value = read_element(content.value).value
    pieces = b"\x24\x80" + tlv(4, value[:10]) + tlv(4, value[10:]) + b"\0\0"
    whole[2] = b"\x30\x80" + tlv(kind.tag, kind.value) + b"\xa0\x80" + pieces + b"\0\0" + b"\0\0"
    return b"\x30\x80" + tlv(info[0].tag, info[0].value) + b"\xa0\x80\x30\x80" + b"".join(whole) + b"\0\0" * 3


def test_a_message_of_indefinite_length_is_the_same_message() -> None:
    message = read_file(make_sod(GROUPS, signer()), 0x77, "EF.SOD")
    streamed = indefinite(message)
    assert definite(streamed) == message
    assert read_signed_data(streamed, "it").signers == read_signed_data(message, "it").signers
    for end in range(2, len(streamed), 11):
        with pytest.raises(ChipFault):
            read_signed_data(streamed[:end], "it")
    with pytest.raises(ChipFault, match="too deep"):
        definite(b"\x30\x80" * 1000)


# --- files --------------------------------------------------------------------------------------------------------------


def test_ef_com() -> None:
    common = read_com(COM)
    assert common.groups == {1, 2}
    assert (common.lds_version, common.unicode_version) == ("0107", "040000")


@pytest.mark.parametrize("lines", [LINES, TD1, TD2], ids=["TD3", "TD1", "TD2"])
def test_data_group_1_in_every_format(lines: tuple[str, ...]) -> None:
    mrz = read_dg1(make_dg1(lines))
    assert mrz.lines == lines
    assert mrz.primary_name == "ERIKSSON"


@pytest.mark.parametrize("text", [b"", b"short", b"\xff" * 88, LINES[0].encode() * 3])
def test_what_is_no_zone(text: bytes) -> None:
    with pytest.raises(ChipFault, match="data group 1"):
        read_dg1(tlv(0x61, tlv(0x5F1F, text)))


def test_details_of_person_and_document() -> None:
    person = read_dg11(make_dg11(full_name="ERIKSSON<<ANNA<MARIA", place_of_birth="ZENITH<UTOPIA"))
    assert person.full_name == "ERIKSSON, ANNA MARIA"
    assert person.place_of_birth == "ZENITH, UTOPIA"
    assert person.personal_number == person.birth_date == ""
    others = tlv(
        0x6B, tlv(0xA0, tlv(0x02, b"\1"), tlv(0x5F0F, "李<明".encode())), tlv(0x5F2B, bytes.fromhex("19740812"))
    )
    assert read_dg11(others).other_names == ("李 明",)
    assert read_dg11(others).birth_date == "19740812"
    paper = read_dg12(tlv(0x6C, tlv(0x5F19, b"UTOPIA<PASSPORT OFFICE"), tlv(0x5F26, b"20240415")))
    assert (paper.authority, paper.issue_date) == ("UTOPIA, PASSPORT OFFICE", "20240415")
    assert read_dg12(make_dg12(authority="X")).issue_date == ""


def test_security_informations_and_the_key_of_active_authentication() -> None:
    info = tlv(0x30, oid("0.4.0.127.0.7.2.2.3.2.2"), integer(1))
    assert [element.tag for element in read_dg14(make_dg14(info, info))] == [0x30, 0x30]
    for bad in (tlv(0x6E), tlv(0x6E, integer(1)), tlv(0x6E, tlv(0x31, integer(1)))):
        with pytest.raises(ChipFault, match="data group 14"):
            read_dg14(bad)
    key = tlv(0x30, tlv(0x03, b"\0key"))
    assert read_dg15(make_dg15(key)) == key
    with pytest.raises(ChipFault, match="data group 15"):
        read_dg15(tlv(0x6F))


def test_the_security_object_of_both_versions() -> None:
    zero = read_security_object(make_security_object(GROUPS))
    assert (zero.version, zero.digest, sorted(zero.digests)) == (0, "sha256", [1, 2])
    one = read_security_object(make_security_object(GROUPS, digest="sha512", lds_versions=("0108", "040000")))
    assert (one.version, one.digest, one.lds_version, one.unicode_version) == (1, "sha512", "0108", "040000")
    assert read_sod(make_sod(GROUPS, signer())).content_type == "2.23.136.1.1.1"


def entry(number: int) -> bytes:
    return tlv(0x30, integer(number), tlv(0x04, bytes(32)))


@pytest.mark.parametrize(
    "entries", [[entry(1), entry(1)], [entry(17)], [entry(0)], [tlv(0x30)], [tlv(0x30, integer(1))], [b"\x30"]]
)
def test_a_list_of_digests_that_is_none(entries: list[bytes]) -> None:
    algorithm = tlv(0x30, oid("2.16.840.1.101.3.4.2.1"))
    with pytest.raises(ChipFault, match="security object"):
        read_security_object(tlv(0x30, integer(0), algorithm, tlv(0x30, *entries)))


# --- faces --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", list(Written))
@pytest.mark.parametrize(("image", "media_type"), [(JPEG, "image/jpeg"), (JP2, "image/jp2"), (JPC, "image/jpc")])
def test_the_face_comes_out_of_either_encoding(encoding: Written, image: bytes, media_type: str) -> None:
    (face,) = read_faces(make_dg2(image, encoding=encoding, width=413, height=531))
    assert face.data == image
    assert face.media_type == media_type
    assert face.encoding == FaceEncoding(encoding.value)
    assert (face.width_px, face.height_px) == (413, 531)


@pytest.mark.parametrize("encoding", list(Written))
def test_a_face_that_does_not_say_its_size_has_none(encoding: Written) -> None:
    (face,) = read_faces(make_dg2(JPEG, encoding=encoding))
    assert (face.width_px, face.height_px) == (None, None)


def test_a_tagged_face_among_optional_fields_is_found() -> None:
    """As the "all fields" example of the application profile has it: quality, landmarks and more around the picture."""
    picture = tlv(
        0xA0, tlv(0x80, JP2), tlv(0xA1, tlv(0xA0, tlv(0x80, b"\x03")), tlv(0xA1, tlv(0xA1)), tlv(0x84, b"\1\2"))
    )
    representation = tlv(
        0x30, tlv(0x80, b"\x01"), tlv(0xA1, tlv(0xA0, picture)), tlv(0xA2, tlv(0x80, b"\x07\xea")), tlv(0xA9, tlv(0x30))
    )
    block = tlv(0x65, tlv(0xA0, tlv(0x80, b"\x03")), tlv(0xA1, representation))
    for wrapped in (tlv(0x7F2E, tlv(0xA1, block)), tlv(0x7F2E, block), tlv(0x5F2E, tlv(0xA1, block))):
        template = tlv(0x7F60, tlv(0xA1, tlv(0x81, b"\x02")), wrapped)
        (face,) = read_faces(tlv(0x75, tlv(0x7F61, integer(1), template)))
        assert face.data == JP2


def test_points_of_interest_are_skipped() -> None:
    record = bytearray(read_file(make_dg2(JPEG), 0x75, "DG2"))
    start = record.index(b"FAC\0")
    points = bytes(16)
    inside = bytes(record[start:])
    grown = bytearray(inside[:34] + points + inside[34:])
    grown[8:12] = len(grown).to_bytes(4, "big")
    grown[14:18] = (len(grown) - 14).to_bytes(4, "big")
    grown[18:20] = (2).to_bytes(2, "big")
    group = tlv(0x75, tlv(0x7F61, integer(1), tlv(0x7F60, tlv(0x5F2E, bytes(grown)))))
    assert read_faces(group)[0].data == JPEG


@pytest.mark.parametrize("encoding", list(Written))
def test_every_cut_of_a_face_is_refused(encoding: Written) -> None:
    whole = make_dg2(JPEG[:64], encoding=encoding)
    for end in range(len(whole)):
        with pytest.raises(ChipFault, match="data group 2"):
            read_faces(whole[:end])


@pytest.mark.parametrize(
    "group",
    [
        tlv(0x75),
        tlv(0x75, tlv(0x7F61)),
        tlv(0x75, tlv(0x7F61, integer(2), tlv(0x7F60))),
        tlv(0x75, tlv(0x7F61, integer(1), tlv(0x7F60, tlv(0xA1)))),
        tlv(0x75, tlv(0x7F61, integer(0))),
        make_dg2(b"GIF89a"),
        make_dg2(b"GIF89a", encoding=Written.ISO_39794_5),
        tlv(0x75, tlv(0x7F61, integer(1), tlv(0x7F60, tlv(0x5F2E, b"FAC\x00010\x00" + bytes(6))))),
    ],
)
def test_what_holds_no_face(group: bytes) -> None:
    with pytest.raises(ChipFault, match="data group 2"):
        read_faces(group)
