"""What the documents promise is there."""

import re
import subprocess
import sys

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.fixtures.captures import ROOT

API = (ROOT / "API.md").read_text()
README = (ROOT / "README.md").read_text()
UNDOCUMENTED = ("api/v1/",)  # leads to the page of the document


def addresses(resolver: URLResolver, before: str = "") -> set[str]:
    """Every address as documents write it: `api/v1/pairs/{row_id}`."""
    found: set[str] = set()
    for entry in resolver.url_patterns:
        address = before + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(entry.pattern))
        if isinstance(entry, URLPattern):
            found.add(address)
        elif not address.startswith("admin/"):
            found |= addresses(entry, address)
    return found


def shape(address: str) -> str:
    """Without the names of its parameters."""
    return re.sub(r"\{\w+\}", "{}", address).strip("/")


def test_the_rest_table_names_every_address_and_no_other():
    served = {shape(one) for one in addresses(get_resolver()) if one.startswith("api/v1/") and one not in UNDOCUMENTED}
    documented = {shape(one) for one in re.findall(r"/api/v1/[\w/{}-]+", API)}
    assert documented == served


def test_the_readme_names_every_setting_and_no_other():
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "ctweb" / "env.py").read_text()))
    rows = re.findall(r"^\| (`[^|]+) \|[^|]*\|[^|]*\|$", README, re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert documented == read


@pytest.mark.parametrize("document", sorted(path.name for path in ROOT.glob("*.md")))
def test_links_between_documents_lead_somewhere(document: str):
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text()):
        assert (ROOT / target).exists(), target


def test_every_make_target_of_the_documents_exists():
    makefile = (ROOT / "Makefile").read_text()
    for path in ROOT.glob("*.md"):
        for target in re.findall(r"`(?:\w+=\S+ )*make (\w[\w-]*)", path.read_text()):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_test_that_the_documents_run_exists():
    for path in ROOT.glob("*.md"):
        for target in re.findall(r"pytest (?:-\S+ )*([\w/]+\.py)", path.read_text()):
            assert (ROOT / target).is_file(), target


def test_the_example_of_an_order_prints_what_the_document_says():
    text = (ROOT / "TRADING.md").read_text()
    found = re.search(r"```python\n(.*?)```\nprints `([^`]+)`", text, re.DOTALL)
    assert found is not None
    run = subprocess.run([sys.executable, "-c", found[1]], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == found[2]
