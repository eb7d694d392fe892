"""From final numbers to what people read: figures, sentences, HTML and PDF. It computes no result."""
