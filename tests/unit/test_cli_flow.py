"""``gate flow``: files in, forecasts and plans out, one JSON object each."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from gate.cli import make_app

SITE = Path(__file__).parents[2] / "config" / "sites" / "demo.toml"


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(make_app(), ["flow", *words])
    return done.exit_code, done.stdout


def test_history_and_timetable_come_in_as_files_and_forecast_plan_and_backtest_go_out(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(SITE.read_text("utf-8").replace('"var/demo"', f'"{tmp_path}/state"'), "utf-8")
    assert run("forecast", "--site", str(site))[0] == 1  # nothing is known yet
    rng = np.random.default_rng(2)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    arrivals, timetable = ["at,arrivals"], ["flight,scheduled,seats"]
    for day in range(-56, 3):
        # The flight of the day comes at another hour each week.
        begin = today + timedelta(days=day, hours=6 + (day + 56) // 7)
        timetable.append(f"TG{day + 100},{begin.isoformat()},180")
        if day < 0:
            arrivals += [f"{(begin + timedelta(minutes=15 * step)).isoformat()},{rng.poisson(70)}" for step in (1, 2)]
    (tmp_path / "arrivals.csv").write_text("\n".join(arrivals) + "\n", "utf-8")
    (tmp_path / "flights.csv").write_text("\n".join(timetable) + "\n", "utf-8")
    assert run("history", "--site", str(site), str(tmp_path / "arrivals.csv"))[0] == 0
    assert run("flights", "--site", str(site), str(tmp_path / "flights.csv"))[0] == 0
    code, out = run("forecast", "--site", str(site), "--days", "1", "--json")
    said = json.loads(out)
    assert (code, said["source"], len(said["quarters"])) == (0, "timetable and history", 96)
    assert 100 < sum(item["arrivals"] for item in said["quarters"]) < 180
    code, out = run("staff", "--site", str(site), "--days", "1", "--json")
    few = json.loads(out)
    assert (code, few["is_enough"]) == (1, False)  # the demonstration has two lanes
    code, out = run("staff", "--site", str(site), "--days", "1", "--lanes", "20", "--json")
    many = json.loads(out)
    assert (code, many["is_enough"]) == (0, True)
    assert max(item["lanes"] for item in many["quarters"]) > 2
    code, out = run("backtest", "--site", str(site), "--origins", "4", "--json")
    score = json.loads(out)
    assert (code, score["origins"]) == (0, 4)
    assert score["gain"] > 0.1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(SITE.read_text("utf-8").replace('"var/demo"', f'"{tmp_path}/state"'), "utf-8")
    done = CliRunner().invoke(make_app(), ["flow", "flights", "--site", str(site), str(tmp_path / "none.csv")])
    assert "none.csv" in str(done.exception)
