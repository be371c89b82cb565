"""Puts files outside of `docs` that guides link to into the site.

A guide is read in the repository and on the site. On the site the results of
the benchmarks and the tutorials are in folders of the same names, beside the
guides, and a notebook is a page with its outputs.
"""

import re
from pathlib import Path

from mkdocs.structure.files import File
from nbconvert import MarkdownExporter

RESULTS = "benchmarks/results"
TUTORIALS = "tutorials"
_LINK = re.compile(r"\[([^\]]*)\]\(((?:\.\./)+)([^)#\s]+)([^)]*)\)")


def on_files(files, config):
    root = Path(config.docs_dir).parent
    for path in sorted((root / RESULTS).rglob("*.*")):
        name = path.relative_to(root).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(path)))
    for path in sorted((root / TUTORIALS).glob("*.ipynb")):
        text, resources = MarkdownExporter().from_filename(str(path))
        for name, image in resources["outputs"].items():
            # Pictures of different notebooks have the same names.
            own_name = f"{path.stem}_{name}"
            text = text.replace(f"({name})", f"({own_name})")
            own_name = f"{TUTORIALS}/{own_name}"
            files.append(File.generated(config, own_name, content=image))
        name = f"{TUTORIALS}/{path.stem}.md"
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown, page, config, files):
    depth = page.file.src_uri.count("/")

    def on_site(match):
        text, ups, target, anchor = match.groups()
        if ups.count("/") <= depth:
            return match.group()
        target = target.replace(".ipynb", ".md")
        if files.get_file_from_path(target) is None:
            # Code is not on the site.
            return f"{text} (`{target}`)"
        return f"[{text}]({'../' * depth}{target}{anchor})"

    return _LINK.sub(on_site, markdown)
