"""Importers and exporters: whole communities, members, backups. Imports publish no event."""
