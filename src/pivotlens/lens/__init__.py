"""Training an affine lens that corrects the raw one's bias in early layers."""
