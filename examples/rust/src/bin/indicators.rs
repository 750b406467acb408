//! Prints the indicators of one topic: cargo run --bin indicators -- TOPIC [ROWS]
//! or the rows of files: cargo run --bin indicators -- --golden FILE...

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::fs;
use std::process::exit;

use collector_example::{read, text};
use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Type {
    r#type: String,
}

#[derive(Deserialize)]
struct Status {
    state: String,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Indicator {
    #[serde(flatten)]
    key: Key,
    bars_seen: u64,
    warm: bool,
    closed: bool,
    revision: u64,
    incomplete: bool,
}

/// The values of a row in its order; they are doubles, kept with the digits of the row.
#[derive(Deserialize)]
struct Values<'row> {
    #[serde(borrow)]
    values: IndexMap<String, &'row RawValue>,
}

/// Says which rows replace each other.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Key {
    exchange: String,
    symbol: String,
    input: String,
    interval: String,
    name: String,
    params: String,
    open_time: i64,
}

/// Prints rows, and remembers which have been replaced.
#[derive(Default)]
struct Printer {
    /// Revision of each closed value; never forgotten here: a topic keeps 30 days.
    revisions: HashMap<Key, u64>,
}

impl Printer {
    /// Prints a row; tells whether it was a value that is not out of date.
    fn show(&mut self, row: &[u8]) -> Result<bool, Box<dyn Error>> {
        match serde_json::from_slice::<Type>(row)?.r#type.as_str() {
            "status" => {
                let status: Status = serde_json::from_slice(row)?;
                println!("--- {} {}", status.state, text(&status.reason));
            }
            "indicator" => {
                let value: Indicator = serde_json::from_slice(row)?;
                let line = line(&value, &serde_json::from_slice(row)?)?;
                if self.is_new(value) {
                    println!("{line}");
                    return Ok(true);
                }
            }
            _ => {}
        }
        Ok(false)
    }

    /// Tells whether a value is not replaced yet: live values replace each other, the closed one
    /// replaces them, and a closed one with a higher revision that one.
    fn is_new(&mut self, row: Indicator) -> bool {
        let replaced = self.revisions.get(&row.key);
        let is_new = replaced.is_none_or(|held| row.closed && row.revision > *held);
        if is_new && row.closed {
            self.revisions.insert(row.key, row.revision);
        }
        is_new
    }
}

fn line(row: &Indicator, values: &Values) -> Result<String, Box<dyn Error>> {
    let key = &row.key;
    let mut words = vec![
        Timestamp::from_second(key.open_time.div_euclid(1_000_000))?.to_string(),
        key.input.clone(),
        key.interval.clone(),
        if key.params.is_empty() {
            key.name.clone()
        } else {
            format!("{}:{}", key.name, key.params)
        },
    ];
    words.extend(
        values
            .values
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    words.push(if row.closed { "closed" } else { "live" }.to_owned());
    words.push(format!("revision={}", row.revision));
    words.push(format!("bars={}", row.bars_seen));
    words.push(if row.warm { "warm" } else { "warming" }.to_owned());
    if row.incomplete {
        words.push("incomplete".to_owned());
    }
    Ok(words.join(" "))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = env::args().skip(1).collect();
    let mut printer = Printer::default();
    let (topic, mut left) = match given.as_slice() {
        [option, files @ ..] if option == "--golden" && !files.is_empty() => {
            for file in files {
                for row in fs::read_to_string(file)?.lines() {
                    printer.show(row.as_bytes())?;
                }
            }
            return Ok(());
        }
        [topic] if topic != "--golden" => (topic, -1),
        [topic, rows] => (topic, rows.parse::<i64>()?),
        _ => {
            eprintln!("cargo run --bin indicators -- TOPIC [ROWS], or … -- --golden FILE...");
            exit(2)
        }
    };
    read(topic, |row| {
        if printer.show(row)? {
            left -= 1;
        }
        Ok(left != 0)
    })
    .await
}
