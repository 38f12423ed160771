"""What every package stands on: database, transactions, events, access, text, mail, jobs, time."""
