"""Rows of the visual zone: found above the MRZ, cut out of the frame, read by an exchangeable reader, compared."""

from collections.abc import Sequence
from datetime import date
from types import SimpleNamespace

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from gate.checks.mrz import Mrz, parse
from gate.core.document_findings import Agreement
from models.document.page import whole_image
from models.document.reader import DocumentRead
from models.document.viz import VisualZone, find_rows
from models.document.viz_text import PpOcrTextReader, TextReading
from models.manifest import TEXT_RECOGNISER, Preparation
from models.prepare import prepare
from models.session import ModelSession
from models.store import ModelStore
from simulator.frames import document_frame
from simulator.page_attacks import with_printed_number
from simulator.passports import Passport, render_page

Image = NDArray[np.uint8]
PASSPORT = Passport(
    document_number="L898902C3",
    primary_name="Eriksson",
    secondary_name="Anna Maria",
    birth_date=date(1974, 8, 12),
    sex="F",
    expiry_date=date(2032, 4, 15),
)
PORTRAIT = np.full((360, 280, 3), 150, np.uint8)


def read_of(frame: Image, page: Image, passport: Passport = PASSPORT) -> DocumentRead:
    mrz = parse(passport.mrz_lines())
    assert isinstance(mrz, Mrz)
    quad = whole_image(frame)
    if frame.shape != page.shape:
        # The page lies in the middle of the glass, at 88 % of it.
        height, width = frame.shape[:2]
        scale = min(0.88 * width / page.shape[1], 0.88 * height / page.shape[0])
        half = np.array([page.shape[1] * scale / 2, page.shape[0] * scale / 2])
        middle = np.array([width / 2, height / 2])
        signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        quad = (middle + signs * half).astype(np.float32)
    return DocumentRead(
        format=mrz.format,
        lines=mrz.lines,
        fields=mrz,
        check_digits_ok=True,
        confidence=1.0,
        portrait_bgr=None,
        portrait_face=None,
        portrait_box_px=None,
        page_quad_px=quad,
        model_hashes={},
    )


class Reader:
    """Says what it is told to, row by row."""

    name, model_hash, row_height_px = "fake", "f" * 64, 48

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.pictures: list[Image] = []
        self.calls = 0

    def read(self, rows_bgr: Sequence[Image]) -> list[TextReading]:
        self.calls += 1
        self.pictures += rows_bgr
        told, self.texts = self.texts[: len(rows_bgr)], self.texts[len(rows_bgr) :]
        told += [""] * (len(rows_bgr) - len(told))
        return [TextReading(text=text, confidence=0.99) for text in told]


def test_rows_are_cut_out_and_compared() -> None:
    page = render_page(PASSPORT, PORTRAIT, px_per_mm=8.0)
    reader = Reader("ERIKSSON", "ANNA MARIA")
    result = VisualZone(reader).compare(page, read_of(page, page))
    assert result.agreement is Agreement.AGREES
    assert dict(result.fields) == {"surname": 1.0, "given_names": 1.0}
    assert len(reader.pictures) >= 9, "nine values are printed"
    assert all(picture.shape[0] == 48 and picture.shape[2] == 3 for picture in reader.pictures)
    assert all(picture.std() > 8 for picture in reader.pictures), "every row shows print"


def test_reading_ends_when_every_field_agrees() -> None:
    page = render_page(PASSPORT, PORTRAIT, px_per_mm=8.0)
    reader = Reader("L898902C3", "ERIKSSON", "ANNA MARIA", "12 AUG 1974", "15 APR 2032")
    assert VisualZone(reader).compare(page, read_of(page, page)).is_complete
    assert reader.calls == 1


def test_what_was_printed_stands_in_some_row() -> None:
    page = render_page(PASSPORT, PORTRAIT, px_per_mm=8.0)
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY).astype(np.uint8)[: 66 * 8]
    boxes = find_rows(grey)
    # Number, surname and date of birth, by where they are printed (millimetres), at 8 px a millimetre.
    for x_mm, baseline_mm in ((84, 19.2), (46, 28.2), (46, 55.2)):
        point = (x_mm + 4) * 8, (baseline_mm - 1) * 8
        assert any(x <= point[0] <= x + w and y <= point[1] <= y + h for x, y, w, h in boxes)


def test_a_card_has_no_visual_zone_beside_its_mrz() -> None:
    page = np.full((540, 856, 3), 200, np.uint8)
    lines = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
    mrz = parse(lines)
    assert isinstance(mrz, Mrz)
    reader = Reader("ERIKSSON")
    document = SimpleNamespace(format=mrz.format, lines=lines, fields=mrz, page_quad_px=whole_image(page))
    assert VisualZone(reader).compare(page, document).agreement is Agreement.UNREAD  # type: ignore[arg-type]
    assert reader.calls == 0


def test_a_page_without_a_zone_is_unread() -> None:
    page = np.full((704, 1000, 3), 200, np.uint8)
    assert VisualZone(Reader()).compare(page, read_of(page, page)).agreement is Agreement.UNREAD


class Session:
    """Scores that spell what is asked of each row: its mean grey says which text it is."""

    name, model_hash, input_name = "fake", "f" * 64, "x"
    metadata = {"character": "ABC "}  # noqa: RUF012

    def __init__(self) -> None:
        self.widths: list[int] = []

    def run(self, feeds: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        tensor = feeds["x"]
        self.widths.append(tensor.shape[3])
        scores = np.full((len(tensor), 6, 5), 0.05, np.float32)
        for row, picture in zip(scores, tensor, strict=True):
            first = 1 if picture[0, 0, 0] < 0 else 2
            for frame, column in enumerate((first, first, 0, first, 3, 0)):
                row[frame, column] = 0.7 if frame == 4 else 0.9
        return [scores]


def test_repeats_collapse_and_rows_keep_their_order() -> None:
    session = Session()
    dark, light = np.zeros((48, 300, 3), np.uint8), np.full((48, 60, 3), 255, np.uint8)
    readings = PpOcrTextReader(session).read([dark, light])  # type: ignore[arg-type]
    assert [reading.text for reading in readings] == ["AAC", "BBC"]
    assert [round(reading.confidence, 3) for reading in readings] == [0.7, 0.7]
    assert session.widths == [320]
    assert PpOcrTextReader(session).read([]) == []  # type: ignore[arg-type]


def test_the_recognisers_head_keeps_latin_and_the_space() -> None:
    characters = ["A", "中", "é", "я"]
    weights = np.arange(12, dtype=np.float32).reshape(2, 6)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])],
        "head",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "frames", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, "frames", 6])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(np.zeros(6, np.float32), "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, {"character": "\n".join(characters)})
    cut = onnx.load_model_from_string(prepare(model.SerializeToString(), Preparation.LATIN_HEAD))
    kept = {tensor.name: numpy_helper.to_array(tensor) for tensor in cut.graph.initializer}
    assert kept["w"].tolist() == weights[:, [0, 1, 3, 5]].tolist(), "blank, A, é, space"
    assert {prop.key: prop.value for prop in cut.metadata_props} == {"character": "Aé "}
    helper.set_model_props(model, {"character": "A"})
    with pytest.raises(ValueError, match="6 columns for 2 characters"):
        prepare(model.SerializeToString(), Preparation.LATIN_HEAD)


@pytest.fixture(scope="module")
def visual_zone() -> VisualZone:
    store = ModelStore()
    if not store.is_prepared(TEXT_RECOGNISER):
        pytest.skip("the optional text recogniser is not prepared here (`gate models prepare text-recogniser`)")
    return VisualZone(PpOcrTextReader(ModelSession(store, TEXT_RECOGNISER)))


@pytest.mark.long  # the model is one that an operator switches on: not part of the set-up
@pytest.mark.parametrize("number", ["L898902C3", "L898902C8", "K123456D7"])
def test_an_altered_number_is_found_in_a_frame(visual_zone: VisualZone, number: str) -> None:
    page = with_printed_number(PASSPORT, PORTRAIT, number)
    frame = document_frame(page, rng=np.random.default_rng(7))
    result = visual_zone.compare(frame, read_of(frame, page))
    if number == PASSPORT.document_number:
        assert result.agreement is Agreement.AGREES
        assert dict(result.fields)["document_number"] == 1.0
    else:
        assert result.agreement is Agreement.DIFFERS
        assert result.differing == ("document_number",)
