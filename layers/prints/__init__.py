"""Maps and documents for paper: what a view shows, drawn at a round scale."""
