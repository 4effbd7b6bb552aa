"""From folders of labelled photographs to batches of decoded images."""
