"""A whole building from one TOML file: devices, people with cards and fingers, and the script of a day."""
