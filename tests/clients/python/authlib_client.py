"""PyPI's Authlib, unmodified: discovery, client credentials, code with PKCE, refresh, introspection, revocation."""

import json
import os
import sys

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain http, since the issuer is this machine

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

issuer = os.environ["ISSUER"]
found = requests.get(get_well_known_url(issuer, external=True), timeout=10).json()
metadata = AuthorizationServerMetadata(found)
# Authlib's own validation, but for the rule that addresses are https, which this machine's are not.
metadata.validate_response_types_supported()
metadata.validate_grant_types_supported()
metadata.validate_code_challenge_methods_supported()
assert metadata["issuer"] == issuer


def session(**more):
    return OAuth2Session(
        os.environ["APP_ID"],
        os.environ["APP_SECRET"],
        token_endpoint=metadata["token_endpoint"],
        revocation_endpoint_auth_method="client_secret_basic",
        code_challenge_method="S256",
        redirect_uri=os.environ["REDIRECT_URI"],
        **more,
    )


if sys.argv[1] == "begin":
    verifier = generate_token(48)
    own = session().fetch_token(metadata["token_endpoint"], grant_type="client_credentials", scope="read")
    url, state = session(scope="read").create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier
    )
    print(json.dumps({"url": url, "state": state, "verifier": verifier, "own": own["scope"]}))
else:
    client = session(state=os.environ["STATE"])
    token = client.fetch_token(
        metadata["token_endpoint"],
        authorization_response=os.environ["ANSWER"],
        code_verifier=os.environ["VERIFIER"],
    )
    report = {"scope": token["scope"]}
    report["called"] = client.get(f"{issuer}/api/v1/users", timeout=10).status_code
    refreshed = client.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    report["rotated"] = refreshed["refresh_token"] != token["refresh_token"]
    seen = client.introspect_token(metadata["introspection_endpoint"], token=refreshed["access_token"])
    report["active"] = seen.json()["active"]
    gone = client.revoke_token(metadata["revocation_endpoint"], token=refreshed["refresh_token"])
    report["revoked"] = gone.status_code
    seen = client.introspect_token(metadata["introspection_endpoint"], token=refreshed["access_token"])
    report["after"] = seen.json()
    print(json.dumps(report))
