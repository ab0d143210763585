"""The command line. Only :mod:`.run` knows the screen, and loads it only when it is to be shown."""
