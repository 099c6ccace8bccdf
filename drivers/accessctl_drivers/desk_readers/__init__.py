"""Readers on a technician's desk: a card is held to them and its number reaches the page that asked for it."""
