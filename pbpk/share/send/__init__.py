"""Tables shaped as SEND has them, of what a study measured: nothing here claims a submission that is complete."""
