"""Controllers that call us over HTTP: Security PUSH and the older attendance PUSH (ZKTeco iclock/ADMS)."""
