"""The program that the tests of sweeps build."""

NET = """param width: int = 8
param act: block = ReLU
input 3×32×32
Conv3x3(width) → BN → act → Conv3x3(2 × width, stride=2, groups=2) → GlobalAvgPool → FC(10)
"""
