curl https://api.simosphereai.com/v1/chat/completions \
  -H "Authorization: Bearer agent_tok_abc123..." \
  -H "X-Agent-ID: my-analysis-agent" \
  -H "Content-Type: application/json" \
  -d '{"model":"mistral-small-latest","messages":[...]}'
