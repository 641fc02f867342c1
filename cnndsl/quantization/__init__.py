"""What a quantised network is: its arithmetic in whole numbers, its table of scales, its file."""
