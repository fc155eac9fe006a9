"""Verifies TOKEN with PyJWT as a backend would, then says how PyJWT refuses it changed or for somebody else."""

import base64
import json
import os

import jwt

token, issuer, audience = (os.environ[name] for name in ("TOKEN", "ISSUER", "AUDIENCE"))
keys = jwt.PyJWKClient(os.environ["JWKS_URL"])


def verify(token, audience=audience, issuer=issuer):
    key = keys.get_signing_key_from_jwt(token)
    required = ["exp", "iat", "nbf", "iss", "aud", "sub", "jti"]
    return jwt.decode(
        token, key, algorithms=[os.environ["ALGORITHM"]], audience=audience, issuer=issuer, options={"require": required}
    )


def refusal(**changed):
    try:
        verify(**{"token": token, **changed})
    except jwt.InvalidTokenError as error:
        return type(error).__name__
    return None


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


claims = verify(token)
header, _, signature = token.split(".")
payload = base64url(json.dumps({**claims, "scope": "admin"}).encode())
flipped = signature[:20] + ("A" if signature[20] != "A" else "B") + signature[21:]
print(
    json.dumps(
        {
            "claims": claims,
            "typ": jwt.get_unverified_header(token)["typ"],
            "refusals": {
                "payload": refusal(token=f"{header}.{payload}.{signature}"),
                "signature": refusal(token=token[: -len(signature)] + flipped),
                "audience": refusal(audience="cl_another"),
                "issuer": refusal(issuer=issuer + "/"),
            },
        }
    )
)
