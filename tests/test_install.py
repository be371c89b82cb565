"""The installed package is found from any folder, also from above a clone."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPT = """
from importlib.util import find_spec
print(find_spec("keras_cowclip").origin)
"""


def test_a_clone_that_is_called_like_the_package_does_not_hide_it(tmp_path):
    (tmp_path / "keras_cowclip").symlink_to(ROOT)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True
    )
    # The origin of a folder without `__init__.py` is None.
    assert done.stdout.strip().endswith("__init__.py")
