"""How a network becomes a quantised one: ranges, whole numbers, corrected biases; and the reference that computes it."""
