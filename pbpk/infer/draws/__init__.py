"""The fit: chains that are kept, whether they agree, and what they say of parameters and rows."""
