"""``python -m twomass_nb``: the command without its script."""

import sys

from .cli import main

sys.exit(main())
