"""Drafts become boundaries in force: review, approval, correction, and what differs from day to day."""
