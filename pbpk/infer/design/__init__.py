"""What a design can teach, before any fit, and what it taught."""
