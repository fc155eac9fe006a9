//! The least that a function costs which reads one item strongly per event, by the AWS SDK as our functions have it. It answers
//! whether the item is there. The item's partition is `FLOOR_PK`, its place in it `FLOOR_SK`, its table `FLOOR_TABLE`. With `FLOOR_SIGN`
//! in its environment it makes an ES256 signature besides, by a key of its own: what an exchange can't do without.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;

/// As many bytes as a token of ours has in front of its signature.
const MESSAGE: [u8; 600] = [b'a'; 600];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = aws::connect_emulated(&std::env::var("AWS_ENDPOINT_URL_DYNAMODB")?, "us-east-1");
    let client = &Client::from_conf(Builder::from(&config).interceptor(aws::UserAgent).build());
    let names = ["FLOOR_TABLE", "FLOOR_PK", "FLOOR_SK"];
    let [table, pk, sk] = &names.map(|name| std::env::var(name).unwrap_or_default());
    let pair = &match std::env::var_os("FLOOR_SIGN") {
        Some(_) => Some(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
        None => None,
    };
    lambda_runtime::run(service_fn(move |_: LambdaEvent<IgnoredAny>| async move {
        let read = client
            .get_item()
            .table_name(table)
            .key("pk", AttributeValue::S(pk.clone()))
            .key("sk", AttributeValue::S(sk.clone()))
            .consistent_read(true)
            .send()
            .await?;
        if let Some(pair) = pair {
            std::hint::black_box(pair.sign(&SystemRandom::new(), &MESSAGE)?);
        }
        Ok::<_, Error>(read.item.is_some())
    }))
    .await
}
