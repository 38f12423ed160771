"""Writes of advocacy, by idea."""
