"""Complete ways through the site in a real browser, against the site as served, worker and mail included."""
