"""Writes to stdout what SAM makes of template.yaml, for cfn-lint, which doesn't look inside of SAM's own resources.

SAM transforms on AWS's side at deployment; this is its own translator, which aws-sam-cli brings along.
"""

import json
import logging
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

logging.getLogger("samtranslator").setLevel(logging.ERROR)


class NoManagedPolicies:
    """Names of AWS's policies to ARNs, which SAM would ask AWS for. The template uses none by name."""

    def load(self):
        return {}


template = yaml_parse(Path("template.yaml").read_text())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        # `sam package` puts an address like this one in the place of the folder.
        resource["Properties"]["CodeUri"] = "s3://keygate-builds/function.zip"
template = transform(template, {}, NoManagedPolicies())

# The one setting whose default would keep a revoked key alive: it must survive the transformation.
for name, scheme in template["Resources"]["Api"]["Properties"]["Body"]["components"]["securitySchemes"].items():
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    if authorizer["authorizerResultTtlInSeconds"] != 0 or "identitySource" in authorizer:
        sys.exit(f"API Gateway would cache what {name} answers: {authorizer}")

json.dump(template, sys.stdout, indent=1)
