"""What comes from phones and PBXs: adapters, folds and the durable spool. Stores, and does not conclude or recognise."""
