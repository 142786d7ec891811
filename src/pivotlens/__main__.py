"""``python -m pivotlens``: the command line, for launchers that start modules, such as ``accelerate launch -m``."""

import sys

from pivotlens.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
