"""Does selecting pivot-rich documents help? The field experiment: see README.md."""
