"""Who may, who must agree, and what has been stopped."""
