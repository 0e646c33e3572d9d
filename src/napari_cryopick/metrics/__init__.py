"""How well picks and maps agree with what people annotated."""
