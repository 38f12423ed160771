"""What tests stand on: real servers (PostgreSQL, SMTP, the site itself), a real browser, and guards."""
