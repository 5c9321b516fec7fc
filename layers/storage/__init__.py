"""One store: its tables and transactions, changes and their audit, accounts, jobs, settings, backup."""
