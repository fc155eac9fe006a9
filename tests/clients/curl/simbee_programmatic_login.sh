curl -X POST https://api.simbee.io/auth/token \
-H "Content-Type: application/json" \
-d '{
"client_id": "cl_abc123",
"user_id": "owner",
"password": "a-strong-password"
}'
