curl -X POST https://api.simbee.io/api/v1/users \
-H "Authorization: Bearer eyJhbGciOiJFZERTQSIs..." \
-H "Content-Type: application/json" \
-d '{ "external_id": "user_42", "traits": { "name": "Bob" } }'
