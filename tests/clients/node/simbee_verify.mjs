import jwt from "jsonwebtoken";
import jwksClient from "jwks-rsa";
const client = jwksClient({
jwksUri: "https://api.simbee.io/.well-known/jwks.json",
cache: true,
rateLimit: true,
});
function getKey(header, callback) {
client.getSigningKey(header.kid, (err, key) => {
callback(err, key?.getPublicKey());
});
}
jwt.verify(token, getKey, { algorithms: ["EdDSA"] }, (err, decoded) => {
if (err) throw err;
console.log(decoded.sub); // User ID
console.log(decoded.aud); // Client ID
});
