"""`python -m dianku_cli`, where the command is not on the path."""

from dianku_cli.main import main

main()
