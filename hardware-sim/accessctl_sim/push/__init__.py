"""A PUSH device: it calls the server over HTTP, in the Security PUSH dialect or the older attendance one.

Source: the vendor's Security PUSH Communication Protocol 3.1.2, and field reports of C3-200 and SenseFace devices.
"""
