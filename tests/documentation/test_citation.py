"""CITATION.cff tells the version that the package has."""

from pathlib import Path

import yaml

import keras_cowclip

ROOT = Path(__file__).parents[2]


def test_citation_has_the_version_and_the_licence_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == keras_cowclip.__version__
    assert citation["license"] == "Apache-2.0"
    paper = citation["preferred-citation"]
    assert len(paper["authors"]) == 15
    assert paper["url"].endswith(paper["identifiers"][0]["value"][6:])
