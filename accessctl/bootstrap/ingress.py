"""The device ingress, made from the settings of the environment: what the web server's worker loads.

The listener that controllers call, apart from the panel's. It speaks granian's RSGI and not WSGI; the reason, which was
measured, is with `accessctl_drivers.push.front`.
"""

import resource
import sys

from accessctl.bootstrap import Service, build
from accessctl.bootstrap.disk import ending
from accessctl.bootstrap.keys import read_key
from accessctl.bootstrap.lifeline import end_with_server
from accessctl.bootstrap.logs import log_to_standard_error
from accessctl.services.doorway import Doorway
from accessctl.services.passage_reports import PassageReports
from accessctl.services.push_desk import PushDesk
from accessctl.settings import load
from accessctl_drivers.push.app import Ingress
from accessctl_drivers.push.front import Front

SWITCH_S = 0.0005  # a thread with an answer at a door waits no longer for one that writes a backlog (default 5 ms)
STORE_WAIT_S = 4.0  # for whoever holds the store: controllers give up after ten seconds, and send again
MOST_FILES = 16_384  # every half-sent request is an open file until its time is over


def ingress_app() -> Front:
    """The factory that the web server calls in its worker."""
    end_with_server()
    log_to_standard_error()
    sys.setswitchinterval(SWITCH_S)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, MOST_FILES), most))
    settings = load(None)
    return ingress_of(build(settings, wait_s=STORE_WAIT_S, disk_failed=ending(settings)))


def ingress_of(service: Service) -> Front:
    """The ingress in front of a service."""
    rules = service.rules
    desk = PushDesk(
        service.office,
        service.policy,
        Doorway(service.office, service.policy, rules),
        PassageReports(service.office, service.policy, rules),
        secret=read_key(service.settings.keys_dir, "ingress.key"),
    )
    return Front(Ingress(desk, service.office.clock))
