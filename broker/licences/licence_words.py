"""What each line of a licence is for, and why it is asked: the same beside a question of the command and of a page."""

from __future__ import annotations

from collections.abc import Mapping

# What each line is for, as the form says it; of the same names in other places, by its path.
WORDS: Mapping[str, str] = {
    "policy.title": "the document's name",
    "policy.version": "which version of it: 3, or 2026-09",
    "policy.adopted": "the day on which the governors adopted it",
    "policy.review": "the day by which it is looked at again; the licence lapses at its end",
    "policy.url": "where everybody may read it",
    "policy.digest": "SHA-256 of the very document, if you like: sha256sum FILE",
    "liability.reviewer": "who made or reviewed the risk assessment",
    "liability.assessed": "when",
    "liability.review": "by when it is done again",
    "liability.title": "the document's name, if there is one",
    "liability.url": "where it may be read, if anywhere",
    "liability.risks.risk": "what may go wrong",
    "liability.risks.mitigation": "what the school does about it",
    "safe_use.owners.name": "who answers for the account",
    "safe_use.owners.post": "as what",
    "safe_use.owners.trained": "when they were trained in using it",
    "safe_use.owners.valid_until": "until when that counts",
    "safe_use.owners.leadership": "true for one of the senior leadership: there must be one",
    "safe_use.owners.email": "to be told before it lapses; one that the roster knows",
    "technology.checked_by": "who looked over how it is set up",
    "technology.checked": "when",
    "technology.review": "by when it is looked over again",
    "technology.keeping": "where its credentials lie, and who can get at them",
    "technology.assured": "what no provider tells a program, by its code: see `carillon licence show`",
}

# Why each is asked, for whoever fills it in and for the governors who read it.
WHY: Mapping[str, str] = {
    "policy": "Schools ask first what the governors have adopted: without a policy nobody can say what is"
    " proper to send by this way, and what is not.",
    "policy.version": "So that a later reader knows which text held on the day of an announcement.",
    "policy.adopted": "A policy counts from the day on which the governors said yes, not from when it was written.",
    "policy.review": "Schools change, and so do the rules of providers. At the end of this day the account falls"
    " silent by itself, so that nobody forgets.",
    "policy.url": "Parents are told in the letter where they may read it.",
    "policy.digest": "Whoever doubts later which text was meant can check it against the very file.",
    "liability": "The school answers for what goes wrong. Here stands that somebody thought of it before, and what"
    " is done about it; parents read the same in the letter.",
    "liability.reviewer": "Somebody must be able to say why the risk was taken.",
    "liability.review": "A risk assessment is looked at again at least every two years; at the end of this day the"
    " account falls silent by itself.",
    "liability.risks.risk": "Parents read it in the letter: in plain words what may happen.",
    "liability.risks.mitigation": "What the school does, so that it does not happen, or does no harm.",
    "safe_use": "No account belongs to one teacher alone: at least two trained people hold it, one of them of the"
    " senior leadership, so that no adult can use it unseen.",
    "safe_use.owners.name": "Parents read in the letter who answers for it.",
    "safe_use.owners.trained": "Who uses it has learned what it may be used for, and what never.",
    "safe_use.owners.valid_until": "What was learned grows old. When too few are left whose training counts, the"
    " account falls silent.",
    "safe_use.owners.leadership": "One of the senior leadership always holds it too.",
    "safe_use.owners.email": "Owners are told 30 days before it lapses, and three times more.",
    "technology": "An account is only as safe as its set-up: who can get at it, and who made sure that nobody can"
    " write to pupils by it in private.",
    "technology.checked_by": "Somebody looked at it and stands by it.",
    "technology.review": "Providers change their settings. At the end of this day the account falls silent by itself.",
    "technology.keeping": "When somebody leaves, the school must know what to change. Say where they lie; never"
    " write the password itself here.",
    "technology.assured": "The provider tells no program whether it is so; somebody has to look.",
}
