"""``python -m gradclinic``."""

import sys

from gradclinic.cli import main

if __name__ == "__main__":
    sys.exit(main())
