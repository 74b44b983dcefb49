"""Who may, who must agree, and what may be stopped or spent."""
