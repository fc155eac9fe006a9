curl -X POST https://api.simbee.io/api/v1/clients/cl_abc123/api_keys \
-H "Authorization: Bearer eyJhbGciOiJFZERTQSIs..." \
-H "Content-Type: application/json" \
-d '{ "name": "production" }'
