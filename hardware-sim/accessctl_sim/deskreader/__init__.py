"""An RDM6300 desk reader: 125 kHz cards, 9600 8N1, one way (arduino12/rdm6300; esphome rdm6300)."""
