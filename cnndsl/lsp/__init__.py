"""The language server: `cnndsl.service` spoken as the Language Server Protocol, on pygls.

serve         begins to speak on standard input and output
server        the server and what it is told: files opened, changed, closed
document      an open text: what is known of it, and what is being worked out
positions     offsets as lines and columns, in the encoding that the client counts in
protocol      pygls' protocol, without what it forgets to forget
addresses     files and built-in texts as addresses
asked         where a client asks
convert       answers as the protocol's types
features/     what a client may tell and ask, a function each
"""
