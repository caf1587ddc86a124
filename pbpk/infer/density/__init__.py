"""The log-density of everything measured, and its gradient, compiled."""
