"""What a viewer gets: rows of a layer on a day, under rights, area scope, window and filter."""
