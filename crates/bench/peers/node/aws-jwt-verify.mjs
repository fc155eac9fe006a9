// An authorizer with aws-jwt-verify, as its README has it for an issuer that is not Cognito.
import { JwtVerifier } from "aws-jwt-verify";
import { allow } from "./policy.mjs";

const verifier = JwtVerifier.create({
  issuer: process.env.ISSUER,
  audience: process.env.AUDIENCE,
  jwksUri: process.env.JWKS_URI,
});

export async function handler(event) {
  let payload;
  try {
    payload = await verifier.verify(event.headers.Authorization.slice("Bearer ".length));
  } catch {
    throw new Error("Unauthorized");
  }
  return allow(event, payload);
}
