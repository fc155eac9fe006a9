"""Makes a client with its owner, its default workspace and one key with `admin`, and prints the client's id and the key.

    python3 docs/first_client.py <directory table> <keys table> <company name> <owner's e-mail>

For a deployment that has no sign-up yet. Needs boto3 and credentials that may put items into both tables.
"""

import hashlib
import secrets
import sys
import time
import zlib

import boto3

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def base62(length):
    return "".join(secrets.choice(DIGITS) for _ in range(length))


def check(body):
    """The CRC-32 of the key's string so far, in base62, most significant digit first."""
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        digits = DIGITS[digit] + digits
    return digits


def attribute(value):
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, bytes):
        return {"B": value}
    if isinstance(value, list):
        return {"L": [attribute(element) for element in value]}
    return {"S": value}


def put(table, **item):
    item = {name: attribute(value) for name, value in item.items()}
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}


def main(directory_table, keys_table, company, email):
    now = int(time.time())
    client, owner, workspace = "cl_" + base62(16), "cu_" + base62(16), "ws_" + base62(16)
    prefix, digits = "sk_live_", base62(16)
    key = prefix + digits + base62(32)
    key += check(key)
    key_id = "ak_" + digits
    created_id = time.strftime("%Y-%m-%dT%H:%M:%SZ#", time.gmtime(now)) + key_id
    place = f"CLIENT#{client}"
    boto3.client("dynamodb").transact_write_items(TransactItems=[
        put(directory_table, pk=place, sk="CLIENT", id=client, name=company, slug=client[3:].lower(),
            default_workspace_id=workspace, default_scopes="read", created_at=now),
        put(directory_table, pk=place, sk=f"USER#{owner}", id=owner, client_id=client, email=email, role="owner",
            created_at=now),
        put(directory_table, pk=place, sk=f"WORKSPACE#{workspace}", id=workspace, client_id=client, name="default",
            owner_user_id=owner, created_at=now),
        put(keys_table, pk=f"KEY#{key_id}", sk="KEY", id=key_id, client_id=client, created_id=created_id, name="first",
            kind="workspace", workspace_id=workspace, environment="live", prefix=prefix,
            hash=hashlib.sha256(key.encode()).digest(), secret_version=1, scopes=["admin"], billed_to=owner,
            created_at=now, created_by=owner),
    ])
    print(client)
    print(key)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
