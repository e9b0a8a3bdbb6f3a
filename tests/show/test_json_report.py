"""The JSON report and its schema."""

from __future__ import annotations

import json
import math
import os
import stat
from dataclasses import replace

import jsonschema
import pytest

from gradclinic.errors import UserError
from gradclinic.schema.finding import CAUSES, CONDITIONS, Finding
from gradclinic.schema.ledger import Kind
from gradclinic.show import json_report

from . import handmade

VALIDATOR = jsonschema.Draft202012Validator(json_report.schema())
ALL = (
    handmade.sick, handmade.healthy, handmade.poisoned, handmade.undecided, handmade.foreseen, handmade.hopeless
)  # fmt: skip


def strict(text):
    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_schema_is_itself_valid():
    jsonschema.Draft202012Validator.check_schema(json_report.schema())


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_every_report_is_strict_json_and_fits_the_schema(make, tmp_path):
    report, _ = make()
    json_report.write(report, tmp_path / "report.json")
    data = strict((tmp_path / "report.json").read_text(encoding="utf-8"))
    VALIDATOR.validate(data)
    assert data["verdict"] == report.verdict
    assert len(data["findings"]) == len(report.findings)


def test_the_schema_knows_every_identifier():
    defined = json_report.schema()["$defs"]
    assert set(defined["condition"]["enum"]) == set(CONDITIONS)
    assert set(defined["cause"]["enum"]) == set(CAUSES)
    assert set(defined["kind"]["enum"]) == set(Kind.__args__)


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "fine"}, {"schema": 2}, {"extra": 1}, {"findings": [{}]}, {"ledger": {"step": 1}},
        {"undecided": [{"condition": "bad_luck", "missing": "x"}]}, {"trains": {"probability": 1.5}},
    ],
    ids=str,
)  # fmt: skip
def test_the_schema_refuses_what_is_not_a_report(change):
    data = handmade.sick()[0].to_dict()
    VALIDATOR.validate(data)
    assert not VALIDATOR.is_valid(data | change)


def test_a_finding_without_evidence_or_with_a_confidence_above_1_is_refused():
    for change in ({"evidence": {}}, {"confidence": 1.2}, {"cause": "bad_luck"}, {"where": "net.1"}):
        finding = replace(handmade.VANISHING, **change)
        report = replace(handmade.sick()[0], findings=(finding,))
        assert not VALIDATOR.is_valid(report.to_dict()), change


def test_every_field_is_documented():
    def undocumented(node, path):
        for name, child in node.get("properties", {}).items():
            told = {"description", "$ref", "const"} & set(child) or path.endswith("trains")
            if not told and not (path == "finding" and name in ("confidence",)):
                yield f"{path}.{name}"
            yield from undocumented(child, f"{path}.{name}")
            yield from undocumented(child.get("items", {}), f"{path}.{name}[]")

    schema = json_report.schema()
    found = list(undocumented(schema, "report"))
    for name, child in schema["$defs"].items():
        found += undocumented(child, name)
    assert found == []


def test_non_finite_numbers_are_strings():
    finding = Finding("divergence", "unknown", (), 1, "critical", 1.0,
                      {"loss": math.inf, "low": -math.inf, "norm": math.nan, "all": [1.0, math.nan]},
                      "explanation", "action")  # fmt: skip
    data = strict(json_report.dumps(replace(handmade.sick()[0], findings=(finding,))))
    assert data["findings"][0]["evidence"] == {"loss": "inf", "low": "-inf", "norm": "nan", "all": [1.0, "nan"]}


def test_an_old_report_is_replaced_whole_and_no_temporary_file_stays(tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    json_report.write(handmade.sick()[0], path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(UserError, match=r"cannot write .*report\.json: No space left on device"):
        json_report.write(handmade.healthy()[0], path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_as_readable_as_any_other_and_a_link_is_followed(tmp_path):
    plain, target, link = tmp_path / "plain", tmp_path / "target.json", tmp_path / "link.json"
    plain.touch()
    target.touch(0o640)
    target.chmod(0o640)
    link.symlink_to(target)
    json_report.write(handmade.healthy()[0], tmp_path / "new.json")
    json_report.write(handmade.healthy()[0], link)
    assert stat.S_IMODE((tmp_path / "new.json").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    assert link.is_symlink()
    assert strict(target.read_text(encoding="utf-8"))["verdict"] == "healthy"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    reader, writer = os.pipe()
    json_report.write(handmade.undecided()[0], f"/dev/fd/{writer}")
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as stream:
        assert strict(stream.read())["verdict"] == "undecided"


def test_a_missing_folder_is_a_plain_error(tmp_path):
    with pytest.raises(UserError, match="No such file or directory") as caught:
        json_report.write(handmade.sick()[0], tmp_path / "nowhere" / "report.json")
    assert "\n" not in str(caught.value)


def test_names_that_are_no_unicode_are_written_escaped(tmp_path):
    report = replace(handmade.healthy()[0], headline="file \udc80 ✓")
    json_report.write(report, tmp_path / "r.json")
    assert strict((tmp_path / "r.json").read_text(encoding="utf-8"))["headline"] == "file \udc80 ✓"
