"""How the farm is started: on one machine (`local`), and in containers. Nothing here is imported by the farm itself."""
