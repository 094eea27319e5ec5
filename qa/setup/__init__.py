"""First set-up of a site: questions, live tests, and what becomes of the answers. The same for terminal and page."""
