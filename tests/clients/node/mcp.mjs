// The MCP TypeScript SDK's own client, which knows a server's URL and nothing else.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';

const { SERVER, EMAIL, PASSWORD, CLIENT_DOCUMENT } = process.env;
const waiting = await callback();
const kept = {};
const report = {};

const provider = {
  // Where it is known by a document, it does not register.
  clientMetadataUrl: CLIENT_DOCUMENT,
  redirectUrl: waiting.uri,
  clientMetadata: {
    client_name: 'MCP test client',
    redirect_uris: [waiting.uri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  state: () => 'a-state',
  clientInformation: () => kept.client,
  saveClientInformation: (client) => { kept.client = client; },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => { kept.tokens = tokens; },
  saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
  codeVerifier: () => kept.verifier,
  redirectToAuthorization: (url) => { kept.url = url; },
};

const connect = async () => {
  const transport = new StreamableHTTPClientTransport(new URL(SERVER), { authProvider: provider });
  const client = new Client({ name: 'test', version: '1.0.0' });
  return { transport, client, connected: await client.connect(transport).then(() => true, (error) => error) };
};

const first = await connect();
report.first = first.connected instanceof UnauthorizedError ? 'unauthorized' : String(first.connected);
report.resource = kept.url.searchParams.get('resource');
report.page = await decide(kept.url, { email: EMAIL, password: PASSWORD });
await first.transport.finishAuth((await waiting.answered).searchParams.get('code'));
waiting.close();

const second = await connect();
report.connected = second.connected === true ? true : String(second.connected);
report.tools = (await second.client.listTools()).tools.map((tool) => tool.name);
const result = await second.client.callTool({ name: 'whoami', arguments: {} });
report.caller = JSON.parse(result.content[0].text);
report.refresh = Boolean(kept.tokens.refresh_token);
report.client = kept.client.client_id;
report.audience = JSON.parse(Buffer.from(kept.tokens.access_token.split('.')[1], 'base64url')).aud;
await second.client.close();
console.log(JSON.stringify(report));
