"""What the longer commands do, each in one file: the command line only reads their options."""
