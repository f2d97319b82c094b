"""One module per figure, each with one public function `draw(table) -> Figure`."""
