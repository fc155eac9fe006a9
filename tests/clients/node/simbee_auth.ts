class SimbeeAuth {
private token: string | null = null;
private expiresAt = 0;
constructor(
private email: string,
private password: string,
) {}
async getToken(): Promise<string> {
if (this.token && Date.now() < this.expiresAt - 60_000) {
return this.token;
}
const auth = new AuthenticationApi(
new Configuration({ basePath: "https://api.simbee.io" })
);
const { data } = await auth.createAuthToken({
email: this.email,
password: this.password,
});
this.token = data.token;
this.expiresAt = Date.now() + data.expires_in * 1000;
return this.token;
}
}