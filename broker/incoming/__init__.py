"""What comes in: answers, keywords, mails, and what came back."""
