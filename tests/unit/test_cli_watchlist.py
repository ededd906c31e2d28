"""``gate watchlist``: lists from files, questions, and what is said of bad input."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config.loader import load_site
from gate.cli import make_app
from gate.errors import GateError
from gate.wire.keyring import Keyring

SITES = Path(__file__).parents[2] / "config" / "sites"
RUN = CliRunner()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    text = (SITES / "demo.toml").read_text(encoding="utf-8")
    path = tmp_path / "site.toml"
    path.write_text(text.replace('state_dir = "var/demo"', f'state_dir = "{tmp_path / "state"}"'), encoding="utf-8")
    from gate.wire.signing import SigningKey

    SigningKey.generate().save(Keyring(load_site(path).keys_dir).hub_file())
    return path


def _gate(*words: str | Path) -> tuple[int, str]:
    result = RUN.invoke(make_app(), ["watchlist", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_what_is_good_goes_in_and_what_is_not_is_named_by_its_line(site: Path, tmp_path: Path) -> None:
    lines = tmp_path / "list.jsonl"
    good = {"id": "w1", "list": "wanted", "reason": "r", "names": [{"surname": "Eriksson", "given_names": "Anna"}]}
    lines.write_text(f"{json.dumps(good)}\n\n{{}}\nno json\n", encoding="utf-8")
    table = tmp_path / "list.csv"
    table.write_text(
        "id,list,reason,surname,birth_date,issuer,document_number\nc1,wanted,x,Müller,1980,,\nc2,wanted,y,,,D,C01X,?\n",
        encoding="utf-8",
    )
    code, said = _gate("import", lines, table, "--site", site, "--json")
    summary = json.loads(said)
    assert (code, summary["entries"]) == (1, 2)
    assert [(Path(error["file"]).name, error["line"]) for error in summary["errors"]] == [
        ("list.jsonl", 3),
        ("list.jsonl", 4),
        ("list.csv", 3),
    ]
    code, said = _gate("query", "--site", site, "--name", "ERIKSON, ANNA", "--json")
    assert (code, [hit["entry_id"] for hit in json.loads(said)["hits"]]) == (0, ["w1"])
    assert _gate("query", "--site", site, "--name", "SMITH, JOHN", "--json") == (1, '{"hits": []}\n')
    code, said = _gate("snapshot", "--site", site, "--json")
    assert (code, json.loads(said)["entries"]) == (0, 2)


def test_a_list_is_replaced_whole(site: Path, tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_text("id,list,reason,issuer,document_number\na,lost,r,D,C01X\nb,lost,r,D,C02X\n", encoding="utf-8")
    assert _gate("import", table, "--site", site, "--replace", "lost")[0] == 0
    table.write_text("id,list,reason,issuer,document_number\nb,lost,r,D,C02X\n", encoding="utf-8")
    code, said = _gate("import", table, "--site", site, "--replace", "lost", "--json")
    assert (code, json.loads(said)["removed"]) == (0, 1)
    assert _gate("query", "--site", site, "--document", "D:C01X")[0] == 1
    assert _gate("query", "--site", site, "--document", "D:C02X")[0] == 0


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["query"], "nothing is asked"),
        (["query", "--name", "A", "--born", "12.8.74"], "no date of birth"),
        (["import", "nowhere.csv"], "cannot be read"),
    ],
)
def test_bad_input_is_one_sentence(site: Path, words: list[str], problem: str) -> None:
    with pytest.raises(GateError, match=problem):
        _gate(*words, "--site", site)
