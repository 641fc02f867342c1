"""A quantised network on real numbers, rounded where it rounds: what learns, and what is exported."""
