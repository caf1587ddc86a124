"""A run in the browser: scenarios as forms, their answers as a page that follows, served to this machine alone."""
