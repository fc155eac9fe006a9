// The policy that an authorizer of a REST API answers.
export function allow(event, payload) {
  return {
    principalId: payload.sub,
    policyDocument: {
      Version: "2012-10-17",
      Statement: [{ Action: "execute-api:Invoke", Effect: "Allow", Resource: event.methodArn }],
    },
    context: { scope: payload.scope },
  };
}
