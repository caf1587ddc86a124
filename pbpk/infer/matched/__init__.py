"""What is matched: what each animal was given, how animals differ, and which rows see which experiment."""
