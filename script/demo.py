"""The demo: a simulated site, the real service, and a day in its life.

    script/demo                       open the panel and follow procedure 10 as its five people
    script/demo --once --out DIR      play the whole day without a person, check it, leave the proof in DIR

Without `--once`, lines typed here go to the simulated site: `card ana mesa 2` holds Ana's card to the desk reader,
`finger ana lobby 1` lays her finger on the terminal, `walk ana lobby` is Ana at the door; `people`, `devices`, `help`.
"""

import argparse
import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from demo_day import Day
from demo_panel import Refused
from demo_processes import DemoFailed, Service, Simulator, empty
from demo_proof import leave
from demo_site import Installation, install
from demo_visits import VisitsDay

from accessctl.services.store import EventFilter

ROOT = Path(__file__).resolve().parent.parent
HELP = """\
  card ana mesa 2       la tarjeta de Ana, dos segundos en el lector de la mesa (lo mismo con beto, extrano)
  finger ana lobby 1    su dedo en la terminal, donde una inscripción lo espera o para entrar
  walk ana lobby        Ana con su tarjeta ante la puerta; leave ana lobby, sale
  lobby power-off       y power-on, tamper, force-door, add-user 666 card=666, clear-log …
"""


def main() -> int:
    """Run the demo; 0 when all went as it should."""
    parser = argparse.ArgumentParser(prog="script/demo", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--once", action="store_true", help="play the whole day without a person, check it, and end")
    parser.add_argument("--out", type=Path, help="with --once: where the proof is left")
    parser.add_argument("--port", type=int, default=8080, help="the panel's port (default 8080)")
    parser.add_argument("--push-port", type=int, default=8081, help="the device ingress' port (default 8081)")
    parser.add_argument("--fresh", action="store_true", help="begin with an empty database")
    parser.add_argument("--kill-at", default="", help="with --once: acts before which the service is killed (1,5,9)")
    options = parser.parse_args()
    for ending in (signal.SIGINT, signal.SIGTERM):  # also where a shell started us with them ignored
        signal.signal(ending, interrupted)
    if options.once and options.out is None:
        parser.error("--once needs --out DIR")
    try:
        if options.once:
            return once(options.out, frozenset(int(one) for one in options.kill_at.split(",") if one))
        return live(options.port, options.push_port, fresh=options.fresh)
    except DemoFailed as failure:
        print(f"demo: {failure}", file=sys.stderr)
    except Refused as refusal:
        print(f"demo: el panel rechazó lo que debía aceptar: {refusal}", file=sys.stderr)
    except KeyboardInterrupt:
        say("\nhasta luego")
    return 1


def interrupted(_signal: int, _frame: object) -> None:
    """Ctrl-C, or being asked to end: what was started is ended, once."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


def once(out: Path, kill_before: frozenset[int]) -> int:
    """The day at full speed in a folder of its own, then the proof."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="accessctl-demo-") as name:
        folder = Path(name)
        push_port, *terminals = free_ports(3)
        place = install(folder, panel_port=0, push_port=push_port, terminals=terminals)
        simulator = Simulator(place.simulated, folder / "simulator.log")
        service = Service(place.config, folder / "service.log")
        core = place.core()
        try:
            service.start()
            day = Day(place, core, simulator, service, say, kill_before=kill_before)
            day.play(midday=lambda morning: VisitsDay(morning).play())
            day.papers["register.pdf"] = day.people["auditor"].download("/eventos/registro.pdf")
            service.end()
            summary = leave(day, place, core, out)
        except (DemoFailed, Refused):
            out.mkdir(parents=True, exist_ok=True)
            for log in ("service.log", "simulator.log", "accessctl.db", "accessctl.db-wal"):
                (out / log).write_bytes((folder / log).read_bytes() if (folder / log).exists() else b"")
            raise
        finally:
            core.store.close()
            service.end()
            simulator.end()
    say(
        f"Listo en {time.monotonic() - started:.0f} s: {summary['record']['size']} entradas verificadas, "
        f"{len(summary['refusals'])} rechazos, {len(summary['alarms'])} alarmas. Prueba en {out}"
    )
    return 0


def live(port: int, push_port: int, *, fresh: bool) -> int:
    """The site and the service until Ctrl-C; what happens is told here, what is typed here goes to the site."""
    folder = ROOT / "var" / "demo"
    say("Preparando la instalación y el sitio simulado …")
    if fresh:
        empty(folder)
    place = install(folder, panel_port=port, push_port=push_port, terminals=free_ports(2))
    simulator = Simulator(place.simulated, folder / "simulator.log")
    service = Service(place.config, folder / "service.log")
    try:
        service.start()
        say(f"\nPanel: {service.panel}\n")
        for account in place.accounts.values():
            say(f"  {account.username:14} {account.password:18} {account.name}, {', '.join(account.roles)}")
        say(f"\nEl sitio simulado obedece a lo que se escriba aquí:\n{HELP}\nCtrl-C termina todo.\n")
        threading.Thread(target=obey, args=(simulator,), daemon=True).start()
        follow(place)
    except KeyboardInterrupt:
        say("\nhasta luego")
    finally:
        service.end()
        simulator.end()
    return 0


def obey(simulator: Simulator) -> None:
    """Hand typed lines to the simulated site."""
    for line in sys.stdin:
        words = line.strip()
        if words in {"help", "ayuda"}:
            say(HELP)
        elif words:
            try:
                say(f"  » {simulator.say(words)}")
            except DemoFailed as failure:
                say(f"  » {failure}")


def follow(place: Installation) -> None:
    """Tell each new entry of the record as it comes."""
    core = place.core()
    with core.store.view() as tx:
        seen = tx.events.size() - 1
    while True:
        with core.store.view() as tx:
            rows = tx.events.rows(EventFilter(after_index=seen), limit=200)
        for row in rows:
            seen = row.index
            words = (row.event, row.door or row.device, row.person_name or row.credential, row.reason, row.norm)
            say(f"  {row.at.astimezone():%H:%M:%S}  {'  '.join(word for word in words if word)}")
        time.sleep(0.3)


def free_ports(count: int) -> list[int]:
    """Ports that are free now, for the simulated terminals and the ingress."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(probe.getsockname()[1]) for probe in probes]


def say(text: str) -> None:
    """To whoever follows the demo."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
