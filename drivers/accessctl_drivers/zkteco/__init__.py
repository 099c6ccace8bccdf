"""ZKTeco terminals over TCP or UDP 4370: placeholder replaced below."""
