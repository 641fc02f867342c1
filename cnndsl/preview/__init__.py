"""A page that follows a program: the page of `cnndsl report`, drawn again at each change of the text.

knobs         the parameters of a network that can be moved, with what they are now
follow        reads the program with the settings of the moment, and gives what the page shows
application   what a browser may ask for: the page, changes as they come, other settings
serve         watches the files and answers browsers, on this machine alone
"""
