//! Reads one topic, from the first row kept.

use std::error::Error;
use std::fmt::Display;

use krafka::Kafka;
use krafka::consumer::{AutoOffsetReset, IsolationLevel};

/// Calls `take` for each row until it returns false, or fails.
pub async fn read(
    topic: &str,
    mut take: impl FnMut(&[u8]) -> Result<bool, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let servers =
        std::env::var("KAFKA_BOOTSTRAP_SERVERS").unwrap_or_else(|_| "localhost:9092".to_owned());
    let kafka = Kafka::builder(servers).connect().await?;
    let consumer = kafka
        .consumer_without_group()
        .isolation_level(IsolationLevel::ReadCommitted)
        .auto_offset_reset(AutoOffsetReset::Earliest)
        .build()
        .await?;
    // a topic of one symbol has one partition
    consumer.assign(topic, vec![0]).await?;
    while let Some(record) = consumer.recv().await? {
        if let Some(row) = &record.value
            && !take(row)?
        {
            break;
        }
    }
    consumer.close().await?;
    Ok(())
}

/// Returns what a field holds, or a dash for null and for an empty text.
pub fn text(value: &Option<impl Display>) -> String {
    match value.as_ref().map(ToString::to_string) {
        Some(text) if !text.is_empty() => text,
        _ => "-".to_owned(),
    }
}
