"""What reaches the scorer from outside the phones: kinds of records, their admission, versions and periods. Pure."""
