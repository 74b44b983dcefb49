"""Text messages: rendered in the short alphabet where it can be, counted in segments, sent through a gateway."""

from channels.sms.channel import SmsKit

kit = SmsKit()
