"""The page of the package: README.md, where a package index has no files to link to."""

import re
from pathlib import Path

from setuptools import setup

#: A link of Markdown to a file of the project.
_TO_A_FILE = re.compile(r"\[(?P<text>[^]]+)\]\((?!\w+:)(?P<file>[^)#]+)(#[^)]*)?\)")


def _named(link: re.Match[str]) -> str:
    return f"`{link['file']}`" if link["text"] == link["file"] else f"{link['text']} (`{link['file']}`)"


setup(
    long_description=_TO_A_FILE.sub(_named, Path(__file__).with_name("README.md").read_text("utf-8"))
    + "\nThe files named here are in the source distribution.\n",
    long_description_content_type="text/markdown",
)
