"""Uses SIMCEL's client class as its document prints it, at another address, and says what it saw as one line of JSON."""

import json
import os
import pathlib
import time

import requests

SITE = "https://api.simcel.io"

source = pathlib.Path(__file__).with_name("simcel_client.py").read_text()
assert source.count(SITE) == 2, "the document's class has two addresses"
document = {}
exec(source.replace(SITE, os.environ["BASE_URL"]), document)

exchanges = 0
post = requests.post


def counted_post(*arguments, **named):
    global exchanges
    exchanges += 1
    return post(*arguments, **named)


requests.post = counted_post


def seen(response):
    return {"status": response.status_code, "headers": dict(response.headers), "body": response.json()}


client = document["SimcelClient"](os.environ["API_KEY"])
report = {"first": seen(client.get("/pnl-summary", params={"planId": "plan_1"}))}
report["second"] = seen(client.get("/pnl-summary", headers={"Accept": "application/json"}))
report["exchanges_for_two_calls"] = exchanges
report["lifetime"] = round(client._token_expiry - time.time())

client._token_expiry = time.time() + 59
report["third"] = seen(client.get("/pnl-summary"))
report["exchanges_when_near_expiry"] = exchanges

client._token = "garbage"
report["garbage"] = seen(client.get("/pnl-summary"))

print(json.dumps(report))
