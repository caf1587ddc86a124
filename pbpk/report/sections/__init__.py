"""The report's sections, each from a dossier to blocks, in the order of `outline`."""
