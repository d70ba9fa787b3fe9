"""``python -m handhold`` is the command line."""

from handhold.cli import main

main()
