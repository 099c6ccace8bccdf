"""One module for each place of the panel; a view is four lines: permission, form, one call to a desk, render."""
