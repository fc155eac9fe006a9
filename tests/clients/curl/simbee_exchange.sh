curl -X POST https://api.simbee.io/auth/exchange \
-H "Content-Type: application/json" \
-d '{"api_key": "'"$SIMBEE_API_KEY"'"}'
