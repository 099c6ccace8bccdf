"""The hardware of accessctl, simulated: standard library only, and no line shared with the product.

Whoever writes a driver is checked here by bytes that somebody else encoded. Sources are the public protocol notes
(adrobinoga/zk-protocol, the vendor's Security PUSH document, the RDM6300 sheets), cited where a layout is packed.
"""
