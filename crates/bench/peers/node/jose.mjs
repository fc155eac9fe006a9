// An authorizer with jose, as its documentation has it for a JWK set that lies elsewhere.
import { createRemoteJWKSet, jwtVerify } from "jose";
import { allow } from "./policy.mjs";

const jwks = createRemoteJWKSet(new URL(process.env.JWKS_URI));

export async function handler(event) {
  let verified;
  try {
    verified = await jwtVerify(event.headers.Authorization.slice("Bearer ".length), jwks, {
      issuer: process.env.ISSUER,
      audience: process.env.AUDIENCE,
    });
  } catch {
    throw new Error("Unauthorized");
  }
  return allow(event, verified.payload);
}
