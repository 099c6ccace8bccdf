"""P10: the day's register against platypus' LongTable, and its growth from 12,000 to 120,000 lines.

Both print the same lines in the same columns on the same paper, every cell in full. LongTable gets the cells that are
too wide as lines broken beforehand (not counted against it): a plain string does not wrap in it, and a Paragraph for a
cell would be slower still. Rounds alternate; the median of the per-round ratios counts.
Goals: at least 20 times the lines a second; t(120k)/t(12k) at most 11; flat memory. Memory is how much higher a process
of its own stands at its highest, while the register is written into a file, than with the lines in its hands and a
short register printed before. Flat: for 120,000 lines at most 1.1 times what it is for 12,000, and 1 MiB.
"""

import argparse
import io
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from reportlab.lib.pagesizes import landscape, letter
from reportlab.platypus import LongTable, SimpleDocTemplate

from accessctl.documents.imprint import CheckpointReference, Evidence, Imprint
from accessctl.documents.parts import Column
from accessctl.documents.register import PAD, TEXT, Register, RegisterLine, render_register, write_register
from accessctl.documents.text import wrap

COLUMNS = (
    *(("Hora", 2.0), ("Nombre", 5.0), ("Documento", 4.0), ("Puerta", 3.6), ("Sentido", 1.8)),
    *(("Evento", 2.4), ("Autorizó", 3.6), ("Acompaña", 3.6), ("Motivo", 4.0), ("Asiento", 2.0)),
)
DAY = datetime(2026, 11, 24, 12, tzinfo=UTC)
LINES = 12_000


def entry(number: int) -> tuple[str, ...]:
    """A plausible line; names, doors and officers recur, times, documents and entries do not."""
    return (
        (DAY + timedelta(seconds=number // 3)).strftime("%H:%M:%S"),
        f"Persona {number % 400} Ramírez Ajú",
        f"DPI {2000000000000 + number * 7919}",
        f"Centro de Datos {number % 4 + 1}",
        "entra" if number % 2 else "sale",
        "negado" if number % 50 == 0 else "concedido",
        f"Jefatura {number % 7}",
        f"Técnico {number % 12}",
        "Falta P4 paso 04: firma" if number % 50 == 0 else "mantenimiento",
        str(100_000 + number),
    )


def register(count: int) -> Register:
    """A day of that many lines."""
    checkpoint = CheckpointReference(size=200_000, root=bytes(32))
    return Register(
        imprint=Imprint(number="P10", made_at=DAY, evidence=Evidence(origin="bench.example", checkpoint=checkpoint)),
        place="Centro de Datos",
        day=date(2026, 11, 24),
        columns=tuple(Column(title=title, share=share) for title, share in COLUMNS),
        lines=tuple(RegisterLine(cells=entry(number)) for number in range(count)),
    )


def long_table(rows: list[list[str]], widths: list[float]) -> bytes:
    """The same lines with the library's own table for long lists, head repeated on every page."""
    out = io.BytesIO()
    style: list[tuple[object, ...]] = [
        ("FONTNAME", (0, 0), (-1, -1), "DejaVuSans"),
        ("FONTSIZE", (0, 0), (-1, -1), TEXT),
    ]
    style += [("LEADING", (0, 0), (-1, -1), 8.6), ("LINEBELOW", (0, 0), (-1, -1), 0.3, "grey")]
    table = LongTable([[title for title, _ in COLUMNS], *rows], colWidths=widths, repeatRows=1, style=style)
    SimpleDocTemplate(out, pagesize=landscape(letter), invariant=1).build([table])
    return out.getvalue()


def peak(count: int) -> tuple[int, int]:
    """In a process of its own: KiB of memory at its highest, above what the lines took, and bytes of the file."""
    render_register(register(10))  # fonts are loaded and the library has warmed up
    day = register(count)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # proc(5): forget the highest mark so far
    before = _highest()
    with tempfile.TemporaryFile() as out:
        write_register(day, out.write)
        return _highest() - before, out.tell()


def _highest() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def main() -> int:
    """Run the rounds, print the ratios, and fail (1) where a goal is missed."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--lines", type=int, default=LINES)
    chosen = options.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {chosen.lines} lines")
    whole = sum(share for _, share in COLUMNS)
    widths = [720.0 * share / whole for _, share in COLUMNS]
    broken = [
        ["\n".join(wrap(cell, wide - 2 * PAD, TEXT)) for cell, wide in zip(entry(number), widths, strict=True)]
        for number in range(chosen.lines)
    ]
    day = register(chosen.lines)
    ratios, ours = [], []
    for turn in range(1, chosen.rounds + 1):
        start = time.perf_counter()
        render_register(day)
        middle = time.perf_counter()
        long_table(broken, widths)
        end = time.perf_counter()
        ours.append(middle - start)
        ratios.append((end - middle) / (middle - start))
        print(
            f"round {turn}: register {ours[-1]:.2f} s, LongTable {end - middle:.2f} s, ratio {ratios[-1]:.1f}",
            flush=True,
        )
    many = register(chosen.lines * 10)
    start = time.perf_counter()
    render_register(many)
    growth = (time.perf_counter() - start) / statistics.median(ours)
    ratio = statistics.median(ratios)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        small, large = pool.map(peak, [chosen.lines, chosen.lines * 10], chunksize=1)
    allowed = 1.1 * small[0] + 1024
    for kib, size in (small, large):
        print(f"memory above the lines themselves: {kib / 1024:.1f} MiB for a PDF of {size / 2**20:.1f} MiB")
    print(
        f"P10: {ratio:.1f}x LongTable (goal 20), ten times the lines in {growth:.1f}x the time (goal 11 at most) "
        f"and {large[0] / 1024:.1f} MiB of memory (goal {allowed / 1024:.1f} at most)"
    )
    return 0 if ratio >= 20 and growth <= 11 and large[0] <= allowed else 1


if __name__ == "__main__":
    sys.exit(main())
