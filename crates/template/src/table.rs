//! DynamoDB tables, in words that are also `CreateTable`'s own.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Error;
use crate::node::Node;

/// A DynamoDB table of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name in the template.
    pub logical_id: String,
    /// The primary key.
    pub key_schema: Vec<KeyElement>,
    /// The type of every attribute that is in a key.
    pub attributes: Vec<Attribute>,
    /// The global secondary indexes.
    pub indexes: Vec<Index>,
    /// The attribute that holds the time (in seconds since 1970) after which an item may be
    /// deleted, where that is switched on.
    pub ttl_attribute: Option<String>,
    /// How it is paid for: `PAY_PER_REQUEST` or `PROVISIONED`.
    pub billing_mode: String,
}

/// One part of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyElement {
    /// The attribute's name.
    pub attribute_name: String,
    /// `HASH` or `RANGE`.
    pub key_type: String,
}

/// The type of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attribute {
    /// The attribute's name.
    pub attribute_name: String,
    /// `S`, `N` or `B`.
    pub attribute_type: String,
}

/// A global secondary index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Index {
    /// Its name, unique in the table.
    #[serde(rename = "IndexName")]
    pub name: String,
    /// Its key.
    pub key_schema: Vec<KeyElement>,
    /// Which attributes it holds.
    pub projection: Projection,
}

/// Which attributes an index holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Projection {
    /// `ALL`, `KEYS_ONLY` or `INCLUDE`.
    pub projection_type: String,
    /// The attributes besides the keys, for `INCLUDE`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub non_key_attributes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TimeToLive {
    attribute_name: String,
    enabled: bool,
}

impl Table {
    pub(crate) fn read(logical_id: &str, resource: &Node<'_>) -> Result<Self, Error> {
        let properties = resource.need("Properties")?;
        let ttl = match properties.get("TimeToLiveSpecification") {
            Some(node) => Some(node.read::<TimeToLive>()?),
            None => None,
        };
        Ok(Self {
            logical_id: logical_id.to_owned(),
            key_schema: properties.need("KeySchema")?.read()?,
            attributes: properties.need("AttributeDefinitions")?.read()?,
            indexes: match properties.get("GlobalSecondaryIndexes") {
                Some(node) => node.read()?,
                None => Vec::new(),
            },
            ttl_attribute: ttl.filter(|ttl| ttl.enabled).map(|ttl| ttl.attribute_name),
            billing_mode: match properties.get("BillingMode") {
                Some(node) => node.text()?.to_owned(),
                None => "PROVISIONED".to_owned(),
            },
        })
    }

    /// The body of a `CreateTable` call. The table is named by its logical id and paid per
    /// request, whatever the template says, because capacities mean nothing on one machine.
    #[must_use]
    pub fn create_table_request(&self) -> Value {
        let mut request = json!({
            "TableName": self.logical_id,
            "KeySchema": self.key_schema,
            "AttributeDefinitions": self.attributes,
            "BillingMode": "PAY_PER_REQUEST",
        });
        if !self.indexes.is_empty() {
            request["GlobalSecondaryIndexes"] = json!(self.indexes);
        }
        request
    }

    /// The body of an `UpdateTimeToLive` call, where the template switches expiry on.
    #[must_use]
    pub fn time_to_live_request(&self) -> Option<Value> {
        self.ttl_attribute.as_ref().map(|attribute| {
            json!({
                "TableName": self.logical_id,
                "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
            })
        })
    }
}
