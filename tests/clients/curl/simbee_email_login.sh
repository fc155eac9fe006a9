curl -X POST https://api.simbee.io/auth/token \
-H "Content-Type: application/json" \
-d '{
"email": "alice@example.com",
"password": "a-strong-password"
}'
