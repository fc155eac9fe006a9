// Uses Simbee's class as its document prints it, at another address, and says what it saw as one line of JSON.
//
// The document imports `AuthenticationApi` and `Configuration` from an SDK: here they are as small as the class needs them.

import ts from "typescript";

const { CLASS, BASE_URL, EMAIL, PASSWORD } = process.env;
let logins = 0;

class Configuration {
  constructor({ basePath }) {
    this.basePath = basePath;
  }
}

class AuthenticationApi {
  constructor(configuration) {
    this.address = `${configuration.basePath}/auth/token`;
  }

  async createAuthToken(credentials) {
    logins += 1;
    const body = JSON.stringify(credentials);
    const response = await fetch(this.address, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return { data: await response.json() };
  }
}

const { outputText } = ts.transpileModule(CLASS, { compilerOptions: { target: "ES2022" } });
const SimbeeAuth = new Function("AuthenticationApi", "Configuration", `${outputText}\nreturn SimbeeAuth;`)(
  AuthenticationApi,
  Configuration,
);

const clock = Date.now;
const wait = (seconds) => (Date.now = () => clock() + seconds * 1000);
const users = async (token) =>
  (await fetch(`${BASE_URL}/api/v1/users`, { headers: { Authorization: `Bearer ${token}` } })).status;

const auth = new SimbeeAuth(EMAIL, PASSWORD);
const report = { logins: {}, users: {} };
const first = await auth.getToken();
report.logins.first = logins;
report.users.first = await users(first);
const again = await auth.getToken();
report.logins.again = logins;
// The clock has gone on since the login: the class is asked well before the minute, and at it.
wait(900 - 60 - 30);
const late = await auth.getToken();
report.logins.a_minute_and_a_half_before = logins;
wait(900 - 60);
const renewed = await auth.getToken();
report.logins.a_minute_before = logins;
report.kept = first === again && first === late && first !== renewed;

// "On 401 responses, re-authenticate and retry the request once."
auth.token = "garbage";
report.users.garbage = await users(await auth.getToken());
auth.token = null;
const retried = await auth.getToken();
report.users.retried = await users(retried);
report.tokens = [first, renewed, retried];
console.log(JSON.stringify(report));
