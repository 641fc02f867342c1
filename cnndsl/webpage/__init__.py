"""A network as one web page that holds everything it needs."""
