"""The soak: a farm of real processes does jobs of all kinds while its processes are killed, stopped and cut off.

``python -m tests.soak`` runs it and writes a history. ``python -m tests.soak.check HISTORY`` judges a history and needs
no farm. Both know the farm by its public interfaces alone: the HTTP API and the commands of docker-compose.yml.
"""
