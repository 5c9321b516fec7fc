"""The one table of limits for what comes from outside (files, their archives, the process that reads them).

Sizes are bytes unless the name says otherwise. The web server uses `WEB`; the command line, where the reader of the
file is also the owner of the machine, uses `COMMAND_LINE`, which knows no limit of rows.
"""

from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one import."""

    upload: int = 200 * MB
    unpacked: int = 2_000 * MB
    members: int = 1_000  # files in an archive
    ratio: int = 200  # unpacked size of a member divided by its packed size
    rows: int | None = 5_000_000
    columns: int = 500
    header_chars: int = 64
    cell_chars: int = 32_767
    vertices: int = 1_000_000  # of one geometry
    child_memory: int = 1_500 * MB
    child_cpu_seconds_per_100_mb: int = 30
    child_wall_seconds: int = 120
    child_file: int = 256 * MB  # what the child may write, at least; grows with the size of the source
    empty_rows: int = 1_000  # a sheet ends after so many empty rows
    findings_per_kind: int = 10_000

    def cpu_seconds(self, size: int) -> int:
        """CPU seconds the reading child gets for a source of `size` bytes."""
        return self.child_cpu_seconds_per_100_mb * max(1, -(-size // (100 * MB)))

    def wall_seconds(self, size: int) -> int:
        """Seconds by the clock the reading child gets for a source of `size` bytes."""
        return max(self.child_wall_seconds, 4 * self.cpu_seconds(size))

    def output(self, size: int) -> int:
        """Bytes the reading child may write for a source of `size` bytes."""
        return max(self.child_file, 4 * size)


WEB = Limits()
COMMAND_LINE = Limits(upload=20_000 * MB, unpacked=20_000 * MB, rows=None)
