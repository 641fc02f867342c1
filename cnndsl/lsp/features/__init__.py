"""What a client may tell and ask, a function each; a file for each kind of question."""
