"""Share: the model and the results in the languages of other tools. For now, tidy tables."""
