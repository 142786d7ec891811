"""Statistics: bootstrap intervals, AUC, association measures."""
