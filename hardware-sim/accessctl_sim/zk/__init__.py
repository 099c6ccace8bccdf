"""A ZKTeco standalone terminal (TCP and UDP 4370), after zk-protocol and what pyzk 0.9 puts on the wire."""
