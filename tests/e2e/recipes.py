"""The pages of docs/clients, run as they stand.

A block that follows a line ending in "`NAME`:" is the file of that name. A block of `sh` is run, all of a page by one shell in one
directory, stopping at the first failure; a block of `text` behind it is what it prints. Other blocks are left alone. Addresses
of the pages are replaced by real ones.
"""

import pathlib
import re
import subprocess

import server as harness

PAGES = harness.REPOSITORY / "docs" / "clients"
ADDRESS = "127.0.0.1:4599"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`([^`]+)`:\s*\Z")
BETWEEN = "-- the next block --"


class Page:
    def __init__(self, name, addresses):
        """`addresses` says what stands for each address of the page."""
        text = (PAGES / f"{name}.md").read_text()
        for written, real in addresses.items():
            text = text.replace(written, real)
        self.files, self.scripts, self.outputs = {}, [], []
        for block in FENCE.finditer(text):
            language, content = block.groups()
            file = FILE.search(text[: block.start()])
            if language == "sh":
                self.scripts.append(content)
                self.outputs.append(None)
            elif language == "text":
                self.outputs[-1] = content
            elif file:
                self.files[file.group(1)] = content

    def run(self, directory, environment, timeout):
        """Fails where a block fails, or prints something else than its page says."""
        assert self.scripts, "the page has nothing to run"
        for name, content in self.files.items():
            (directory / name).parent.mkdir(exist_ok=True)
            (directory / name).write_text(content)
        script = f"echo '{BETWEEN}'\n".join(self.scripts)
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert ended.returncode == 0, f"{ended.stdout}{ended.stderr}{left_behind(directory)}"
        printed = ended.stdout.split(f"{BETWEEN}\n")
        for script, said, got in zip(self.scripts, self.outputs, printed, strict=True):
            assert said is None or said.strip() == got.strip(), f"{script}printed {got!r}, the page says {said!r}"


def left_behind(directory):
    """What the programs of a page have written into files instead of the terminal."""
    files = sorted(path for end in ("*.txt", "*.log") for path in pathlib.Path(directory).glob(end))
    return "".join(f"\n{path.name}:\n{path.read_text(errors='replace')[-4000:]}" for path in files)
