// Verifies TOKEN with jose as a backend would, then says how jose refuses it changed or for somebody else.

import { createRemoteJWKSet, jwtVerify } from "jose";

const { TOKEN: token, ISSUER: issuer, AUDIENCE: audience, JWKS_URL } = process.env;
const keys = createRemoteJWKSet(new URL(JWKS_URL));
const expected = { issuer, audience, typ: "at+jwt", algorithms: [process.env.ALGORITHM], requiredClaims: ["sub", "exp", "iat", "nbf", "jti"] };

async function refusal(token, changed = {}) {
  try {
    await jwtVerify(token, keys, { ...expected, ...changed });
    return null;
  } catch (error) {
    return [error.code, error.claim].filter(Boolean).join(" ");
  }
}

const { payload: claims, protectedHeader } = await jwtVerify(token, keys, expected);
const [header, , signature] = token.split(".");
const payload = Buffer.from(JSON.stringify({ ...claims, scope: "admin" })).toString("base64url");
const flipped = signature.slice(0, 20) + (signature[20] === "A" ? "B" : "A") + signature.slice(21);
console.log(
  JSON.stringify({
    claims,
    typ: protectedHeader.typ,
    refusals: {
      payload: await refusal(`${header}.${payload}.${signature}`),
      signature: await refusal(token.slice(0, -signature.length) + flipped),
      audience: await refusal(token, { audience: "cl_another" }),
      issuer: await refusal(token, { issuer: `${issuer}/` }),
      typ: await refusal(token, { typ: "JWT" }),
    },
  }),
);
