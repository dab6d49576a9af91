"""The audit trail, read without any code of the server's."""

import collections
import hashlib
import json
import re

LABEL = b"keyreeve-audit-v1\0"
SEGMENT = re.compile(r"([a-z0-9]+)-(\d{8})\.log")


def events(directory):
    """Every event of the trail in `directory`, once the chain of each stream was found whole.

    A line cut off at the end of a segment is what a crash leaves, and must be noted in the segment after it; so is a hole that
    a loss of power leaves, with all behind it.
    """
    streams = collections.defaultdict(list)
    for path in directory.iterdir():
        if found := SEGMENT.fullmatch(path.name):
            streams[found.group(1)].append((int(found.group(2)), path))
    found = []
    for stream, segments in streams.items():
        segments.sort()
        assert [number for number, _ in segments] == list(range(1, len(segments) + 1)), stream
        found.extend(events_of(stream, [path for _, path in segments]))
    return found


def events_of(stream, paths):
    found, sequence, previous_hash, before = [], 0, bytes(32), None
    for number, path in enumerate(paths, 1):
        content = path.read_bytes()
        whole, hole, behind = content.partition(b"\0")
        *lines, torn = whole.split(b"\n")
        torn += hole + behind
        for at, line in enumerate(lines):
            stated_sequence, stated_hash, text = line.split(b" ", 2)
            header_hash, sequence = previous_hash, sequence + 1
            previous_hash = hashlib.sha256(LABEL + previous_hash + sequence.to_bytes(8, "big") + text).digest()
            where = f"{path.name}, line {at + 1}"
            assert (int(stated_sequence), stated_hash.decode()) == (sequence, previous_hash.hex()), where
            event = json.loads(text)
            if at > 0:
                found.append(event)
                continue
            name, line_count, size, torn_size = before or (None, 0, 0, 0)
            assert event == {
                "keyreeveSegment": 1, "stream": stream, "number": number, "previousSegment": name,
                "previousLines": line_count, "previousBytes": size, "tornBytes": torn_size,
                "previousHash": header_hash.hex(),
            }, where  # fmt: skip
        assert lines, f"{path.name} has no header"
        before = (path.name, len(lines), sum(len(line) + 1 for line in lines), len(torn))
    return found


def is_opened(event):
    """Whether this only says that a change began."""
    return (event.get("additionalEventData") or {}).get("recordPhase") == "Opened"


def completed(directory):
    """The events that complete a request, by its id. What one did in another Region, too, is an event there before its own; of one
    that is an event of several accounts it is the caller's."""
    found, seen = {}, set()
    for event in events(directory):
        if not is_opened(event) and event["eventType"] == "AwsApiCall":
            of = (event["requestID"], event["awsRegion"], event["recipientAccountId"])
            assert of not in seen, f"{event['requestID']} was completed twice"
            seen.add(of)
            if event["userIdentity"].get("type") != "AWSAccount":
                found[event["requestID"]] = event
    return found


def opened(directory):
    """The ids of the requests that began a change."""
    return {event["requestID"] for event in events(directory) if is_opened(event)}
