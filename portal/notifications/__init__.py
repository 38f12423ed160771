"""How somebody is told: notices, preferences, mails. What is told, and to whom, each feature decides."""
