"""Command, answer and event numbers of the terminal protocol (zk-protocol protocol.md, pyzk 0.9 const)."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Command(IntEnum):
    """What a client may ask. Numbers that are not here are answered `Ack.UNKNOWN`."""

    DB_RRQ = 7
    USER_WRQ = 8
    USERTEMP_RRQ = 9
    OPTIONS_RRQ = 11
    OPTIONS_WRQ = 12
    ATTLOG_RRQ = 13
    CLEAR_DATA = 14
    CLEAR_ATTLOG = 15
    DELETE_USER = 18
    DELETE_USERTEMP = 19
    CLEAR_ADMIN = 20
    USERGRP_RRQ = 21
    USERGRP_WRQ = 22
    USERTZ_RRQ = 23
    USERTZ_WRQ = 24
    GRPTZ_RRQ = 25
    GRPTZ_WRQ = 26
    TZ_RRQ = 27
    TZ_WRQ = 28
    ULG_RRQ = 29
    ULG_WRQ = 30
    UNLOCK = 31
    CLEAR_ACC = 32
    CLEAR_OPLOG = 33
    OPLOG_RRQ = 34
    GET_FREE_SIZES = 50
    ENABLE_CLOCK = 57
    STARTVERIFY = 60
    STARTENROLL = 61
    CANCELCAPTURE = 62
    STATE_RRQ = 64
    WRITE_LCD = 66
    CLEAR_LCD = 67
    GET_PINWIDTH = 69
    DOORSTATE_RRQ = 75
    VERIFY_WRQ = 79
    VERIFY_RRQ = 80
    TMP_WRITE = 87
    GET_USERTEMP = 88
    SAVE_USERTEMPS = 110
    CHECKSUM_BUFFER = 119
    DEL_FPTMP = 134
    GET_TIME = 201
    SET_TIME = 202
    REG_EVENT = 500
    CONNECT = 1000
    EXIT = 1001
    ENABLEDEVICE = 1002
    DISABLEDEVICE = 1003
    RESTART = 1004
    POWEROFF = 1005
    SLEEP = 1006
    RESUME = 1007
    REFRESHDATA = 1013
    REFRESHOPTION = 1014
    TESTVOICE = 1017
    GET_VERSION = 1100
    AUTH = 1102
    PREPARE_DATA = 1500
    DATA = 1501
    FREE_DATA = 1502
    DATA_WRRQ = 1503
    DATA_RDY = 1504


class Ack(IntEnum):
    """Answers; `OK` is also what a client sends back for a real-time event."""

    OK = 2000
    ERROR = 2001
    UNAUTH = 2005
    ERROR_DATA = 65531
    UNKNOWN = 65535


class Event(IntFlag):
    """Real-time events, as registered with REG_EVENT and as carried in the session field of an event frame."""

    ATTLOG = 1
    FINGER = 2
    ENROLLUSER = 4
    ENROLLFINGER = 8
    BUTTON = 16
    UNLOCK = 32
    VERIFY = 128
    FPFTR = 256
    ALARM = 512


class Alarm(IntEnum):
    """First byte of an EF_ALARM body (zk-protocol realtime.md; ABNORMAL and LEFT_OPEN are zkemsdk's OnDoor types)."""

    ABNORMAL_OPENING = 0x01
    LEFT_OPEN = 0x04
    EXIT_BUTTON = 0x35
    TAMPER = 0x37
    MISOPERATION = 0x3A
    DOOR_CLOSING = 0x54


class Verify(IntEnum):
    """Verify type of an attendance record (zk-protocol data-record.md)."""

    PASSWORD = 0
    FINGER = 1
    CARD = 2


class EnrolResult(IntEnum):
    """First u16 of EF_ENROLLFINGER, as pyzk 0.9 reads it."""

    OK = 0
    TIMEOUT = 4
    DUPLICATE = 5
    BAD_QUALITY = 6
