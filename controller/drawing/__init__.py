"""Pictures and papers: the arc as a drawing, the fallback card as a page."""
