"""Pictures and tables of flights."""
