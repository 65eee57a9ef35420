"""client.py PORT COUNT: sends events."""
import sys

from fluent import sender

port, count = int(sys.argv[1]), int(sys.argv[2])
client = sender.FluentSender("py", host="127.0.0.1", port=port, nanosecond_precision=True)
for n in range(count):
    if not client.emit_with_time("label", sender.EventTime(1607618046.5), {"n": n, "text": "žluť", "deep": {"list": [1, None, True, 1.5]}}):
        sys.exit(f"failed: {client.last_error}")
client.close()
print("sent")
