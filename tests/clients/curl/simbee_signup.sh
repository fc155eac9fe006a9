curl -X POST https://api.simbee.io/auth/signup \
-H "Content-Type: application/json" \
-d '{
"email": "alice@example.com",
"password": "a-strong-password",
"company_name": "Acme Corp"
}'
