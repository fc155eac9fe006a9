// npm's openid-client, unmodified: discovery, client credentials, code with PKCE, refresh, introspection, revocation.
import * as client from 'openid-client';

const { ISSUER, APP_ID, APP_SECRET, EMAIL, PASSWORD, SCREENSHOT } = process.env;
const config = await client.discovery(new URL(ISSUER), APP_ID, APP_SECRET, client.ClientSecretBasic(APP_SECRET), {
  algorithm: 'oauth2',
  // Plain http, since the issuer is this machine.
  execute: [client.allowInsecureRequests],
});
const report = {};

const own = await client.clientCredentialsGrant(config, { scope: 'read' });
report.own = { type: own.token_type, scope: own.scope, refresh: own.refresh_token ?? null };

const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const waiting = await callback();
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: waiting.uri,
  scope: 'read write',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
});
report.page = await decide(url, { email: EMAIL, password: PASSWORD, screenshot: SCREENSHOT });
const answer = await waiting.answered;
waiting.close();
report.iss = answer.searchParams.get('iss');
const tokens = await client.authorizationCodeGrant(config, answer, { pkceCodeVerifier: verifier, expectedState: state });
report.tokens = { type: tokens.token_type, scope: tokens.scope, expires: tokens.expires_in };

const users = (token) => fetch(`${ISSUER}/api/v1/users`, { headers: { authorization: `Bearer ${token}` } });
report.called = (await users(tokens.access_token)).status;

const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
report.rotated = refreshed.refresh_token !== tokens.refresh_token;
const seen = await client.tokenIntrospection(config, refreshed.access_token);
report.seen = { active: seen.active, client: seen.client_id, scope: seen.scope };

const deny = await callback();
const denied = client.buildAuthorizationUrl(config, {
  redirect_uri: deny.uri,
  scope: 'read',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
});
await decide(denied, { email: EMAIL, password: PASSWORD, button: 'Deny' });
report.denied = await client
  .authorizationCodeGrant(config, await deny.answered, { pkceCodeVerifier: verifier, expectedState: state })
  .then(() => 'granted', (error) => error.error);
deny.close();

await client.tokenRevocation(config, refreshed.refresh_token);
report.revoked = (await client.tokenIntrospection(config, refreshed.refresh_token)).active;
report.refused = await client.refreshTokenGrant(config, refreshed.refresh_token).then(() => 'granted', (error) => error.error);
// What hangs on the grant ends with it, at the authorizer within five seconds.
const until = Date.now() + 5_000;
do {
  report.after = (await users(refreshed.access_token)).status;
} while (report.after !== 401 && Date.now() < until);
console.log(JSON.stringify(report));
