"""Whether the inference is right: truths of the prior, fitted again."""
