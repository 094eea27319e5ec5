"""Recordings of other systems become calls of ours: found, laid on two channels, placed, stored, watched for."""
