"""Devo's own client against a server: client.py ADDRESS CERTIFICATE, or client.py check.

Reads one JSON object a line and answers each with one: what the client gave under "gave", or what it raised under
"raised". An object says whose call it is under "auth", what to "call", and the arguments of that.
"""
import json
import sys

from devo.api import Client, ClientConfig


def call(asked, address, certificate):
    config = ClientConfig(
        response=asked.get("response", "json"),
        stream=asked.get("stream", False),
        processor=asked.get("processor", "default"),
        destination=asked.get("destination"),
    )
    client = Client(
        auth=asked["auth"],
        address=address + "/search/query",
        config=config,
        verify=certificate,
        timeout=60,
    )
    what = asked["call"]
    if what == "query":
        gave = client.query(
            asked.get("query"),
            query_id=asked.get("query_id"),
            dates=asked.get("dates"),
            limit=asked.get("limit"),
            offset=asked.get("offset"),
        )
        return list(gave) if asked.get("stream") else gave
    if what == "jobs":
        return client.get_jobs()
    return getattr(client, what)(asked["id"])


def main(address, certificate=None):
    if address == "check":
        return
    for line in sys.stdin:
        try:
            answer = {"gave": call(json.loads(line), address, certificate)}
        except Exception as error:
            answer = {
                "raised": type(error).__name__,
                "message": str(error),
                "status": getattr(error, "status", None),
                "code": getattr(error, "code", None),
            }
        print(json.dumps(answer), flush=True)


main(*sys.argv[1:])
