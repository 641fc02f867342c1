"""What people type who come from elsewhere, and what it is called here: tables, and the programs that read them.

words       layers of PyTorch, Keras, TensorFlow, ONNX and Darknet
arguments   their arguments
calls       a whole call of theirs, with its arguments, as an element of ours
habit       what a line that no layer name explains was meant to say: one habit, and where it is looked for
inputs, statements, chains, values   the habits, by what they are about
retell      puts what was meant in place of what a pass found
"""
