"""Mentat's own event storage on a database: client.py COMMAND [ARGUMENT], the database in MENTAT_DATABASE.

check               whether Mentat can be used at all
create              makes tables and indexes
insert              stores the messages that come in, one a line
fetch ID            shows the message of an identifier, or null
search PARAMETERS   shows identifiers and messages of what is found
count PARAMETERS    shows how many there are
distinct COLUMN     shows the values of a column
"""
import collections
import collections.abc
import datetime
import json
import os
import sys

# Mentat 2.4.0 was written for a Python that had these in both places.
for name in collections.abc.__all__:
    if not hasattr(collections, name):
        setattr(collections, name, getattr(collections.abc, name))

import mentat.idea.internal
import mentat.services.eventstorage


def parameters(text):
    found = json.loads(text)
    for key in ("dt_from", "dt_to", "st_from", "st_to"):
        if key in found:
            found[key] = datetime.datetime.strptime(found[key], "%Y-%m-%dT%H:%M:%S")
    return found


def plain(message):
    return None if message is None else json.loads(message.to_json())


def main(command, argument=None):
    if command == "check":
        return
    service = mentat.services.eventstorage.EventStorageService(dsn=os.environ["MENTAT_DATABASE"])
    if command == "create":
        service.database_create()
        service.index_create()
    elif command == "insert":
        for line in sys.stdin:
            service.insert_event(mentat.idea.internal.Idea(json.loads(line)))
    elif command == "fetch":
        print(json.dumps(plain(service.fetch_event(argument))))
    elif command == "search":
        _, messages = service.search_events(parameters(argument))
        for message in messages:
            print(json.dumps(plain(message)))
    elif command == "count":
        print(service.count_events(parameters(argument)))
    elif command == "distinct":
        print(json.dumps(service.distinct_values(argument)))
    else:
        sys.exit("there is no command " + command)
    service.close()


main(*sys.argv[1:])
