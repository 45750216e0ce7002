"""Verdicts as JUnit XML: a suite per table, a case per claim; contradictions are failures.

What is undecided is skipped. Every case says its basis and the grade of its evidence. A setting is
no verdict: one that differs is skipped with its reason.
"""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from repro.files import write_target
from repro.plain import plain
from repro.verify.verdict import Verdict

FAILED = ("contradicted", "fails")
_SKIPPED = ("inconclusive", "not_run", "unverifiable", "differs", "not_set")


def junit(verdicts: Sequence[Verdict]) -> ET.Element:
    """Return the document's root."""
    root = ET.Element("testsuites", {"name": "repro verify", **_totals(verdicts)})
    for (source, locator), group in groupby(
        verdicts, key=lambda verdict: (verdict.source, verdict.locator)
    ):
        found = list(group)
        suite = ET.SubElement(root, "testsuite", {"name": f"{source}, {locator}", **_totals(found)})
        for verdict in found:
            _case(suite, verdict)
    return root


def write_junit(path: Path, verdicts: Sequence[Verdict]) -> None:
    """Write the document; a device, pipe or link is written to and never replaced.

    Raises SetupError when it cannot be written.
    """
    root = junit(verdicts)
    _spell_out(root)
    ET.indent(root)
    write_target(path, ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _spell_out(root: ET.Element) -> None:
    """Spell out what XML does not allow."""
    for element in root.iter():
        element.text = plain(element.text) if element.text else element.text
        element.attrib.update({name: plain(value) for name, value in element.attrib.items()})


def _case(suite: ET.Element, verdict: Verdict) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=f"{verdict.source}.{verdict.locator}", name=verdict.id
    )
    said = f"{verdict.outcome}: {verdict.reason}"
    properties = ET.SubElement(case, "properties")
    for name, value in (("basis", verdict.basis), ("grade", verdict.grade)):
        if value:
            ET.SubElement(properties, "property", name=name, value=value)
    if verdict.outcome in FAILED:
        found = "measured" if verdict.basis == "measured" else "found"
        ET.SubElement(
            case, "failure", message=said
        ).text = f"printed {verdict.printed!r}, {found} {verdict.estimate}"
    elif verdict.outcome in _SKIPPED:
        ET.SubElement(case, "skipped", message=said)
    else:
        ET.SubElement(case, "system-out").text = said


def _totals(verdicts: Sequence[Verdict]) -> dict[str, str]:
    failed = sum(verdict.outcome in FAILED for verdict in verdicts)
    skipped = sum(verdict.outcome in _SKIPPED for verdict in verdicts)
    return {
        "tests": str(len(verdicts)),
        "failures": str(failed),
        "skipped": str(skipped),
        "errors": "0",
    }
