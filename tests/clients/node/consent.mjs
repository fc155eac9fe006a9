// A browser for a client that is not written in JavaScript: takes the address of a request, prints the answer's.
const { URL_TO_OPEN, EMAIL, PASSWORD } = process.env;
const { createServer } = http;
const asked = new URL(new URL(URL_TO_OPEN).searchParams.get('redirect_uri'));
let settle;
const answered = new Promise((resolve) => { settle = resolve; });
const server = createServer((request, response) => {
  response.end('You may close this window.');
  if (request.url.startsWith(asked.pathname)) settle(new URL(request.url, asked));
});
await new Promise((resolve) => server.listen(Number(asked.port), '127.0.0.1', resolve));
await decide(URL_TO_OPEN, { email: EMAIL, password: PASSWORD });
console.log(JSON.stringify({ answer: String(await answered) }));
server.close();
