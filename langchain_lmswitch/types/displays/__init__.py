"""What a person sees of our values: the same facts as one line of text and as HTML."""
