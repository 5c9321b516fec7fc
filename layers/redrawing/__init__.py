"""Drafts of boundaries: what is drawn, on which land, with which figures, by whom."""
