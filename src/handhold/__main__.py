"""``python -m handhold`` is the command line."""

from handhold.cli import main

# Guarded, because worker processes import this module anew.
if __name__ == "__main__":
    main()
