"""What each of the house rules is called, and what it does, in plain words."""

from __future__ import annotations

from collections.abc import Mapping

# A rule that is not here is told as the law tells it.
RULE_WORDS: Mapping[str, tuple[str, str]] = {
    "licence.custodians": (
        "People who hold an account",
        (
            "So many people with training that still counts hold an account before it may be used. One of them is"
            " of the senior leadership, always."
        ),
    ),
    "licence.warn": (
        "First warning before a licence ends",
        (
            "So long before its licence ends, the people who hold an account are warned for the first time; then"
            " again 14 days, 7 days and one day before."
        ),
    ),
    "social.same_text_for": (
        "The same words on two accounts",
        (
            "For so long no two of the school’s accounts on one network say the very same. X suspends accounts"
            " that do."
        ),
    ),
    "social.quotable": (
        "Accounts that may be quoted",
        "Only posts of these accounts elsewhere may be quoted; their names without the @.",
    ),
    "social.read_every": (
        "Looking for posts made by hand",
        "So often the school’s own accounts are read, to find posts that were not made here.",
    ),
    "social.look_every": (
        "Looking after the accounts",
        "So often an account is looked at though nothing waits: whom it follows, and whether it is locked.",
    ),
    "social.carry_found": (
        "Take over posts made by hand",
        (
            "Whether a post that somebody made outside Carillon also goes into the department’s feeds, under the"
            " same rules."
        ),
    ),
    "public.names": (
        "Names in public",
        (
            "Whether a pupil’s full name keeps a text from the public. A first name with a form or an initial"
            " then waits for a second person."
        ),
    ),
    "public.hosts": (
        "Links in public",
        (
            "The only web addresses that public texts may link to, each with what is under it. Without any, every"
            " honest address may be linked to."
        ),
    ),
    "public.numbers": (
        "Telephone numbers in public",
        (
            "The school’s own telephone numbers, which public texts may give. Begin with the country’s code, such"
            " as +44."
        ),
    ),
    "public.emails": (
        "Emails in public",
        "The school’s own emails, which public texts may give.",
    ),
    "public.postcodes": (
        "Postcodes in public",
        "Postcodes of the school, and of halls and fields it goes to: an address there is nobody’s home.",
    ),
    "adults.smallest": (
        "The fewest pupils one may write to",
        (
            "What a member of staff writes goes to this many pupils or more. To fewer, only with their guardians"
            " or a second adult reading it too. 0 for no such number."
        ),
    ),
    "adults.notices": (
        "Templates that a machine may use",
        (
            "From these templates the timetable system may write by itself, to a single pupil too. Write"
            " department/name, one on each line. When a template’s words change, it has to be agreed to again."
        ),
    ),
    "purpose.opt_out_words": (
        "How to say stop",
        (
            "Advertising by text has one of these words in it, so that whoever reads it knows how to have no"
            " more."
        ),
    ),
    "purpose.sale_words": (
        "Words of selling",
        (
            "Words of selling and of asking for money. In an ordinary message they are pointed at: it may be"
            " advertising."
        ),
    ),
    "purpose.sale_waits": (
        "Words of selling wait for a yes",
        (
            "Whether an ordinary message with a word of selling waits for a second person, and is not only"
            " pointed at."
        ),
    ),
    "approval.needed": (
        "What wants a second person’s yes",
        "Which announcements wait until somebody other than their author has agreed.",
    ),
    "approval.drift_people": (
        "How far a yes reaches, in people",
        (
            "A yes counts while it would tell about as many people as when it was given: so many more or fewer."
            " Beyond that it waits again."
        ),
    ),
    "approval.drift_share": (
        "How far a yes reaches, in parts",
        "The same as a part of those people. Whichever is less counts.",
    ),
    "blast.size": (
        "A large audience",
        (
            "An announcement to more people than this waits until somebody types their number, or a second person"
            " says yes. 0 for no such size."
        ),
    ),
    "blast.ratio": (
        "Far more than usual",
        "So does one to this many times as many people as the department usually tells. 0 for no such limit.",
    ),
    "blast.floor": (
        "A small audience",
        "Nobody is ever asked about an audience as small as this.",
    ),
    "blast.drift": (
        "How far a typed number reaches",
        (
            "How far the people counted when it goes out may differ from the number that was typed. Twenty people"
            " always may."
        ),
    ),
    "undo.window": (
        "Time for second thoughts",
        (
            "So long an ordinary announcement waits after it was sent, so that it can be taken back. Urgent ones"
            " do not wait."
        ),
    ),
    "windows.open": (
        "Hours for sending",
        (
            "When announcements may leave. Everything that fits an announcement must be open; what none fits may"
            " always leave. Outside these hours it waits, and urgent ones do not."
        ),
    ),
    "money.holds": (
        "When the money runs out",
        (
            "Whether what would cost more than is left of the month’s budget waits until next month, or until the"
            " budget is raised. If not, it goes and a warning says so."
        ),
    ),
    "money.urgent_beyond": (
        "Urgent ones go beyond a budget",
        "Whether an urgent announcement goes even when there is no money left; a warning says so.",
    ),
    "money.warn_at": (
        "Warning of a budget",
        "From this part of a month’s budget on, a warning says how much is spent.",
    ),
    "record.mail_every": (
        "Mails to the governors",
        (
            "So often each governor is mailed the line that shows later whether the record was changed. None for"
            " never."
        ),
    ),
    "calendar.bank_holidays": (
        "Bank holidays",
        (
            "Whose bank holidays are no school days: GB-ENG, GB-WLS, GB-SCT, GB-NIR, or another country. None for"
            " none."
        ),
    ),
    "ladders.least": (
        "Time for each way",
        "So long each way is given at the least before the next one is tried.",
    ),
    "ladders.look_ups_first": (
        "Ask before the next way",
        (
            "Whether the provider is asked first about a message of which nobody knows whether it arrived. If"
            " not, the next way is tried at once."
        ),
    ),
    "ladders.all_guardians": (
        "Every guardian has to say that they saw it",
        "Where somebody is asked to say so. If not, one of them is enough.",
    ),
    "keeping.content": (
        "Words of announcements",
        "So long after its time is over, the words of an announcement and its files are kept.",
    ),
    "keeping.messages": (
        "Who was told",
        "So long it is kept who was told what, by which way, and whether it came. The numbers stay.",
    ),
    "keeping.receipts": (
        "News from providers",
        "So long it is kept that a provider called back, that a mail came back, that there was a warning.",
    ),
    "keeping.answers": (
        "Answers",
        (
            "So long an answer is kept after somebody has dealt with it. What belongs in a child’s file has to be"
            " put there before."
        ),
    ),
    "keeping.addresses": (
        "Numbers and emails of leavers",
        "So long they are kept after somebody left: until then a wrong import can be undone.",
    ),
    "keeping.people": (
        "Names of leavers",
        "So long they are kept after somebody left.",
    ),
    "keeping.record": (
        "The record",
        "So long the record of who did what is kept.",
    ),
    "ages.channels": (
        "Ages of a network",
        (
            "The age that a way asks of those who use it, each from a day on, such as: whatsapp 13 from"
            " 2024-04-11. A younger pupil gets nothing by it, unless a guardian agreed."
        ),
    ),
    "ages.consent": (
        "Age of consent",
        (
            "From this age a pupil’s own yes to advertising counts, such as: 13 from 2018-05-25. Below it a"
            " guardian gives it."
        ),
    ),
    "sign_in.longest": (
        "Signed in for at most",
        "After so long everybody has to sign in again.",
    ),
    "sign_in.idle": (
        "Signed in while doing nothing",
        "Who asks for nothing for so long has to sign in again. None for never.",
    ),
    "sign_in.prove_at": (
        "When somebody is asked again",
        (
            "To let an announcement go to as many people as this, somebody has to have proved just now who they"
            " are. 0 for never."
        ),
    ),
    "sign_in.proof": (
        "How long that counts",
        "For so long nobody is asked again.",
    ),
}
