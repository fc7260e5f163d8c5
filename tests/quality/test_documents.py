"""The documents say what is there."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from enum import StrEnum
from pathlib import Path

import pytest

from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.seal import SealState
from chartinsightd.process.exit_status import ExitStatus
from chartinsightd.service.state.alert_kinds import AlertKind
from chartinsightd.settings.model import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("benchmarks/*.md"),
        *ROOT.glob("script/*.md"),
    ]
)
CITING = ["chartinsightd/**/*", "tui/**/*", "tests/**/*", "benchmarks/*", "script/*", "systemd/**/*", "*"]
"""Where documents are cited, as patterns from the top."""
CITING_KINDS = {
    "",
    ".py",
    ".sql",
    ".toml",
    ".service",
    ".conf",
    ".scss",
    ".tcss",
    ".yaml",
    ".js",
    ".mjs",
    ".html",
    ".css",
}
PROPER_NAMES = {"AsyncExitStack", "ChartInsight", "WebSocket"}
READMES = [ROOT / "README.md", ROOT / "README.ko.md"]


def text_of(path: Path) -> str:
    """Return a document's text."""
    return path.read_text(encoding="utf-8")


def cited(text: str) -> set[tuple[str, str]]:
    """Return the (document, anchor) pairs that a text names; the anchor is empty where it names none."""
    return set(re.findall(r"(?<![\w/.-])((?:[\w-]+/)*[\w.-]*\w\.md)(?:#([\w-]+))?", text))


def is_citable(document: str, anchor: str, near: Path) -> bool:
    """Whether a name leads to a document (from the top, in docs, or beside the file) and its heading."""
    places = [folder / document for folder in (ROOT, ROOT / "docs", near.parent)]
    found = [place for place in places if place.is_file()]
    return any(not anchor or anchor in anchors_of(place) for place in found)


def anchors_of(document: Path) -> set[str]:
    """Return the anchors of a document's headings, formed as GitHub forms them."""
    headings = re.findall(r"^#+ (.+)$", text_of(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_test(name: str) -> bool:
    """Whether a file of tests, or `file::test`, exists."""
    file, _, function = name.partition("::")
    path = ROOT / file
    if not path.is_file():
        return False
    names = {node.name for node in ast.walk(ast.parse(text_of(path))) if hasattr(node, "name")}
    return not function or function in names


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link of a document names a file that exists."""
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text_of(document))
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_anchors_lead_to_headings(document: Path) -> None:
    """Every link to a part of a document names one of its headings."""
    links = re.findall(r"\]\(([^):\s#]*)#([^)\s]+)\)", text_of(document))
    targets = [((document.parent / path) if path else document, anchor) for path, anchor in links]
    assert [anchor for target, anchor in targets if anchor not in anchors_of(target)] == []


def is_ours(path: Path) -> bool:
    """Whether a path is a file of this project, not one taken as published."""
    return path.is_file() and "vendor" not in path.parts


@pytest.mark.parametrize("folder", CITING)
def test_cited_documents_exist(folder: str) -> None:
    """Every document and heading that code, tests, schema or settings cite is in the repository."""
    files = [path for path in sorted(ROOT.glob(folder)) if path.suffix in CITING_KINDS and is_ours(path)]
    assert files
    lost = {
        f"{path.relative_to(ROOT)}: {document}#{anchor}"
        for path in files
        for document, anchor in cited(text_of(path))
        if not is_citable(document, anchor, path)
    }
    assert lost == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_cite_what_exists(document: Path) -> None:
    """A document names no other that is not here, but for the foreign sources in its list of sources."""
    own_words = re.sub(r"https?://\S+", "", text_of(document).partition("\n## Sources\n")[0])
    assert [one for one in sorted(cited(own_words)) if not is_citable(*one, document)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_tests_exist(document: Path) -> None:
    """A test that a document names is a test: promises cannot rot unseen."""
    named = re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", text_of(document))
    assert [name for name in named if not is_test(name)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_commands_exist(document: Path) -> None:
    """A script that a document names is there and can be run."""
    scripts = set(re.findall(r"(?<![\w/])(script/[a-z]+|\.ci/run)\b(?!\.)", text_of(document)))
    assert [name for name in sorted(scripts) if not os.access(ROOT / name, os.X_OK)] == []


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_readme_lists_the_commands(readme: Path) -> None:
    """Each README's table holds exactly the commands that the wheel installs."""
    scripts = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["scripts"]
    listed = re.findall(r"^\| `(chartinsight[\w-]*)` \|", text_of(readme), re.MULTILINE)
    assert sorted(listed) == sorted(scripts)


def test_every_script_is_listed() -> None:
    """The index of the scripts has exactly those that a person can start."""
    scripts = [path for path in (ROOT / "script").iterdir() if path.is_file() and os.access(path, os.X_OK)]
    listed = re.findall(r"^\| `(script/[\w-]+)` \|", text_of(ROOT / "script" / "README.md"), re.MULTILINE)
    assert sorted(listed) == sorted(f"script/{path.name}" for path in scripts)


def test_continuous_integration_runs_every_python() -> None:
    """The workflow installs exactly the Pythons that the package says it runs on, and starts `.ci/run`."""
    workflow = text_of(ROOT / ".github" / "workflows" / "ci.yml")
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    stated = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert re.findall(r"^ +(3\.\d+)$", workflow, re.MULTILINE) == stated
    assert re.search(r"^ +- run: \.ci/run$", workflow, re.MULTILINE)


def test_readmes_agree() -> None:
    """English and Korean lead to the same places and show the same commands."""

    def shape(readme: Path) -> tuple[list[str], list[str]]:
        text = text_of(readme)
        links = set(re.findall(r"\]\(([^)]+)\)", text)) - {path.name for path in READMES}
        links = {
            link.replace(".ko.", ".") for link in links
        }  # a page in the reader's language, where there is one
        return sorted(links), re.findall(r"^(script/\w+|\.venv/\S+)", text, re.MULTILINE)

    english, korean = map(shape, READMES)
    assert english == korean


def test_every_setting_is_explained() -> None:
    """The table of settings in docs/operating.md has exactly the keys there are."""
    sections = {name: field.annotation for name, field in Settings.model_fields.items()}
    keys = {
        f"{section}.{key}"
        for section, model in sections.items()
        for key in getattr(model, "model_fields", {})
    } | {name for name, model in sections.items() if not hasattr(model, "model_fields")}
    rows = re.findall(r"^\| (`[a-z_.`, ]+) \|", text_of(ROOT / "docs" / "operating.md"), re.MULTILINE)
    assert set(re.findall(r"`([a-z_.]+)`", " ".join(rows))) == keys


def test_every_exit_status_is_explained() -> None:
    """The table of exit statuses in docs/operating.md has exactly the statuses there are."""
    listed = re.findall(r"^\| (\d+) \|", text_of(ROOT / "docs" / "operating.md"), re.MULTILINE)
    assert [int(status) for status in listed] == sorted(ExitStatus)


def test_every_alert_is_explained() -> None:
    """The table of alerts in docs/operating.md has exactly the kinds there are; each has both titles."""
    section = text_of(ROOT / "docs" / "operating.md").partition("\n### Alerts\n")[2].partition("\n### ")[0]
    listed = re.findall(r"^\| `([a-z_.]+)`", section, re.MULTILINE)
    assert sorted(listed) == sorted(AlertKind)
    assert all(kind.korean and kind.english for kind in AlertKind)


@pytest.mark.parametrize(("title", "words"), [("seal", SealState), ("reason", GapReason)])
def test_closed_vocabularies_are_in_the_glossary(title: str, words: type[StrEnum]) -> None:
    """The glossary explains exactly the words that a seal and the reason of a gap can be."""
    table = text_of(ROOT / "docs" / "glossary.md").partition(f"\n| {title} | meaning |\n")[2]
    listed = re.findall(r"^\| `(\w+)` \|", table.partition("\n\n")[0], re.MULTILINE)
    assert listed == [str(word) for word in words]


def test_the_picture_shows_classes_that_exist() -> None:
    """Every class that docs/architecture.md draws or names is one of the product."""
    code = "\n".join(
        text_of(path) for name in ("chartinsightd", "tui") for path in (ROOT / name).rglob("*.py")
    )
    classes = set(re.findall(r"^class (\w+)", code, re.MULTILINE))
    architecture = text_of(ROOT / "docs" / "architecture.md")
    drawn = set(re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", architecture)) - PROPER_NAMES
    assert sorted(drawn - classes) == []


def test_places_of_the_architecture_exist() -> None:
    """Every file and folder of the product that docs/architecture.md names is there."""
    named = re.findall(
        r"`([\w/]+/|(?:\w+/)+\w+|(?:\w+/)*\w+\.(?:py|sql|toml))`", text_of(ROOT / "docs" / "architecture.md")
    )
    assert [
        name for name in named if not any((top / name).exists() for top in (ROOT, ROOT / "chartinsightd"))
    ] == []


def test_every_decision_is_listed() -> None:
    """The list of decisions links every record, in the order of their numbers."""
    folder = ROOT / "docs" / "decisions"
    records = sorted(path.name for path in folder.glob("*.md") if path.name != "README.md")
    assert re.findall(r"\]\(([\w-]+\.md)\) \|", text_of(folder / "README.md")) == records
    numbers = [name.partition("-")[0] for name in records]
    assert all(re.fullmatch(r"\d{4}", number) for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_every_promise_is_listed() -> None:
    """docs/promises.md holds the promises, in order."""
    numbers = re.findall(r"^\| (\d+) \| \*\*", text_of(ROOT / "docs" / "promises.md"), re.MULTILINE)
    assert numbers == [str(number) for number in range(1, 17)]


def test_changelog_is_in_form() -> None:
    """The changelog begins with what is not released yet, under the usual headings."""
    headings = re.findall(r"^(##+) (.+)$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert headings[0] == ("##", "[Unreleased]")
    assert {title for level, title in headings if level == "###"} <= kinds
