"""An authorizer with PyJWT, as its documentation has it for a JWK set that lies elsewhere."""

import os

import jwt

jwks = jwt.PyJWKClient(os.environ["JWKS_URI"])


def handler(event, context):
    token = event["headers"]["Authorization"].removeprefix("Bearer ")
    try:
        payload = jwt.decode(
            token,
            jwks.get_signing_key_from_jwt(token),
            algorithms=["ES256"],
            audience=os.environ["AUDIENCE"],
            issuer=os.environ["ISSUER"],
        )
    except jwt.PyJWTError:
        raise Exception("Unauthorized") from None
    return {
        "principalId": payload["sub"],
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}],
        },
        "context": {"scope": payload["scope"]},
    }
