"""Pure values and decisions: no clock, no I/O, no third-party library. Everything here can be tested on paper."""
