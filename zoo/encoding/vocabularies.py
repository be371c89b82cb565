"""Finds the vocabulary files of an encoder, and checks them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.encoding import vocabulary_file


@dataclass(frozen=True)
class Vocabularies:
    """The files of some vocabularies, as they were when written.

    Nothing is read before it is needed.

    Attributes:
        folder: absolute path, for the process may move to another folder.
        names: tuple of strings.
        checksums: tuple of strings, the checksum of each file.
    """

    folder: Path
    names: tuple[str, ...]
    checksums: tuple[str, ...]

    @classmethod
    def written(cls, folder: Path, names: tuple[str, ...]) -> "Vocabularies":
        """Takes the checksums of files that were just written."""
        folder = folder.absolute()
        checksums = tuple(
            vocabulary_file.checksum(vocabulary_file.path_of(folder, name))
            for name in names
        )
        return cls(folder, names, checksums)

    def paths(self) -> list[Path]:
        """The path of each file.

        Raises:
            FileNotFoundError: if a file is missing.
            ValueError: if a file is not the one that was written.
        """
        paths = self._unchecked_paths()
        for path, checksum in zip(paths, self.checksums, strict=True):
            vocabulary_file.check(path, checksum)
        return paths

    def copy_to(self, folder: Path) -> None:
        for path, name in zip(self.paths(), self.names, strict=True):
            vocabulary_file.copy(path, vocabulary_file.path_of(folder, name))

    def check_sizes(self, num_tokens: Sequence[int]) -> None:
        """Raises unless each file is there and has its number of tokens."""
        for path, number in zip(
            self._unchecked_paths(), num_tokens, strict=True
        ):
            vocabulary_file.check_size(path, number)

    def _unchecked_paths(self) -> list[Path]:
        return [
            vocabulary_file.path_of(self.folder, name) for name in self.names
        ]
