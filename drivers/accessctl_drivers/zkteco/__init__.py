"""ZKTeco terminals over TCP or UDP 4370: they decide alone, we fill their memory and read their log.

How a session goes:

1. `terminal.ZkTerminalDriver.connect` starts a child process (`process` → `python -m …zkteco.child`) and tells it on
its
   standard input where to connect and with which comm key (`channel`: bounded messages, no pickle).
2. The child makes a `session.Session`: pyzk 0.9 on a `framed.FramedSocket`, which cuts the stream into `frames`, checks
   each, and keeps real-time events apart from answers. After connecting it sends ENABLEDEVICE, whatever happened
   before.
3. A question is one request to the child, with how long it may take. Single answers and bulk buffers (1503, 1504, 1502)
   come back as bytes; the service's process makes values of them: `users`, `templates`, `attlog` (with `reconcile`),
   `zones`, `dates`, `memory`, `live`. What cannot be is DeviceMisbehaved, and ends the session.
4. Users go out in few large buffers (1500, 1501, 110; `uploads`), with the terminal out of use only while it takes one:
   DISABLEDEVICE carries a timeout, ENABLEDEVICE follows in any case. Names are made to fit by `names` before.
5. A child that does not answer in time is killed: the deadline does not depend on pyzk. `close` says EXIT.

Live events are a hint, the log is the truth: after each connect read the log first, then listen.

pyzk is GPL-2 and is imported in the child only (`session`).
"""
