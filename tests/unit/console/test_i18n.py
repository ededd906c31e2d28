"""The officers' sentences: both languages whole, every key that the code names is there, and no sentence is in the code."""

import ast
import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from gate.console import i18n
from gate.console.errors import CatalogueError
from gate.console.i18n import LANGUAGES, Words, spoken_first, words_of

CONSOLE = Path(i18n.__file__).parent
OTHERS = {"page_kiosk.py", "drawings.py", "texts.py", "page_lanes.py"}
"""The kiosk speaks from texts.toml."""


def test_each_language_has_every_sentence_and_none_is_empty() -> None:
    keys = {language: words_of(language).shapes.keys() for language in LANGUAGES}
    assert keys["en"] == keys["zh_CN"]
    assert len(keys["en"]) > 100
    for language in LANGUAGES:
        words = words_of(language)
        assert all(words.get(key) for key in words.shapes)


def test_chinese_sentences_are_chinese() -> None:
    english, chinese = words_of("en"), words_of("zh_CN")
    plain = {key for key in chinese.shapes if not re.search("[\u4e00-\u9fff]", chinese.get(key) or "")}
    spelled = {key for key in plain if re.search("[A-Za-z]{2}", re.sub(r"\{\w+\}", "", chinese.get(key) or ""))}
    assert [key for key in sorted(spelled) if chinese.get(key) != english.get(key)] == []


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh_CN"),
        ("zh", "zh_CN"),
        ("en-GB,en;q=0.9,zh;q=0.5", "en"),
        ("en;q=0.2, zh-TW;q=0.9", "zh_CN"),
        ("fr-FR,fr", "en"),
        ("zh;q=nonsense", "zh_CN"),
        (",;q=,", "en"),
    ],
)
def test_a_browser_is_spoken_to_in_its_language(header: str, language: str) -> None:
    assert spoken_first(header) == language


def catalogue(text: str, folder: Path, language: str = "en") -> None:
    target = folder / "locale" / language / "LC_MESSAGES"
    target.mkdir(parents=True, exist_ok=True)
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    (target / f"t{len(list(target.iterdir()))}.po").write_text(header + text, encoding="utf-8")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(i18n.resources, "files", lambda _: tmp_path)
    i18n._all.cache_clear()
    i18n.words_of.cache_clear()
    yield tmp_path  # type: ignore[misc]
    i18n._all.cache_clear()
    i18n.words_of.cache_clear()


GREETING = '\nmsgid "a"\nmsgstr "hello {who}"\n'


@pytest.mark.parametrize(
    ("chinese", "complaint"),
    [
        ('\nmsgid "b"\nmsgstr "你好"\n', "not in all languages"),
        ('\nmsgid "a"\nmsgstr "你好"\n', "other names"),
        ('\nmsgid "a"\nmsgstr ""\n', "no good sentence"),
        ('\n#, fuzzy\nmsgid "a"\nmsgstr "你好 {who}"\n', "no good sentence"),
    ],
)
def test_a_language_that_lacks_a_sentence_is_found_at_the_start(package: Path, chinese: str, complaint: str) -> None:
    catalogue(GREETING, package)
    catalogue(chinese, package, "zh_CN")
    with pytest.raises(CatalogueError, match=complaint):
        words_of("en")


def test_a_key_that_two_files_have_is_found_at_the_start(package: Path) -> None:
    catalogue(GREETING, package)
    catalogue(GREETING, package)
    catalogue(GREETING, package, "zh_CN")
    with pytest.raises(CatalogueError, match="a second time"):
        words_of("zh_CN")


def test_names_are_filled_and_things_are_counted() -> None:
    text = (
        'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
        + GREETING
        + '\nmsgid "n"\nmsgid_plural "n"\nmsgstr[0] "one bag"\nmsgstr[1] "{number} bags"\n'
    )
    words = Words("en", read_po(BytesIO(text.encode()), locale="en"))
    assert words("a", who="Li") == "hello Li"
    assert words.count("n", 1) == "one bag"
    assert words.count("n", 3) == "3 bags"
    assert words.get("nothing") is None
    with pytest.raises(KeyError):
        words("nothing")


def modules() -> list[Path]:
    return sorted(
        path for path in CONSOLE.glob("*.py") if path.name not in OTHERS and not path.name.startswith("kiosk")
    )


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


def name_of(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_every_key_in_the_code_is_in_the_catalogues() -> None:
    words = words_of("en")
    named = [
        (path.name, argument.value)
        for path in modules()
        for call in calls(path)
        if name_of(call) in ("words", "_words", "_w", "count") and call.args
        for argument in call.args[:1]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    assert [(path, key) for path, key in named if key not in words.shapes] == []


def test_no_sentence_of_an_officers_screen_is_in_the_code() -> None:
    """What is drawn comes from the catalogues; signs and names of elements are no sentences."""
    drawn = {"text": 0, "button": 0, "link": 0, "set_text": 0, "say": 0, "tooltip": 0, "notify": 0, "input": 0}
    found = [
        (path.name, call.lineno, argument.value)
        for path in modules()
        for call in calls(path)
        if name_of(call) in drawn
        for argument in call.args[:1]
        if isinstance(argument, ast.Constant) and re.search("[A-Za-z]{2}", str(argument.value))
    ]
    assert found == []
