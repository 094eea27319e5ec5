"""A real switchboard and real phones on this computer, for tests that need a sender which we did not write."""
