"""Parts that docks are composed of."""
