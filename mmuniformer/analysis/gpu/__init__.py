"""One command that shows what this project does on a GPU."""
