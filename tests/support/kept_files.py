"""Built files are looked up once a process, not once for each test's application."""

from typing import Any

from whitenoise import WhiteNoise

from portal.kernel import assets

_found: dict[tuple[str, str | None], dict[str, Any]] = {}


class KeptFiles(WhiteNoise):
    """Serves what an application before it has found in the same folder: its address says the version."""

    def add_files(self, root: str, prefix: str | None = None) -> None:
        if (root, prefix) not in _found:
            before = dict(self.files)
            super().add_files(root, prefix)
            _found[root, prefix] = {url: file for url, file in self.files.items() if url not in before}
        self.files.update(_found[root, prefix])


assets.WhiteNoise = KeptFiles
