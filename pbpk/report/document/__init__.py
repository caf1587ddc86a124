"""What a report is made of, whatever the format, and its three formats."""
