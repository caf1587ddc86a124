"""Where a printed number comes from: the source it bears, the rows that it names, and what those rows were made of."""
