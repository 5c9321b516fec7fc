"""Files from outside: recognised, opened in a child process without rights, and handed over as rows of text."""
