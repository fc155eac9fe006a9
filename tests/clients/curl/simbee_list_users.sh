curl https://api.simbee.io/api/v1/users \
-H "Authorization: Bearer eyJhbGciOiJFZERTQSIs..."
