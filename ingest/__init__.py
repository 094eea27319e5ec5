"""What comes from phones and PBXs: adapters, folds and the durable spool. Stores; never concludes or recognises."""
