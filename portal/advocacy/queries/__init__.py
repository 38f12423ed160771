"""Reads of advocacy, by idea."""
