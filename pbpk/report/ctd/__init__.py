"""Tables and summary of pharmacokinetics as a reader of a CTD looks for them: structured after 2.6.4 and 2.6.5."""
