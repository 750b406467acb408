//! Prints the trades of one topic: cargo run --bin trades -- TOPIC [ROWS]

use std::env;
use std::error::Error;
use std::process::exit;

use collector_example::{read, text};
use serde::Deserialize;

/// The rows of a trade topic; prices and amounts stay texts, which a float could not hold.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Row {
    Trade {
        exchange_time: Option<i64>,
        side: Option<String>,
        price: String,
        amount: String,
    },
    Status {
        state: String,
        reason: Option<String>,
    },
    #[serde(other)]
    Other,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = env::args().skip(1).collect();
    let (topic, mut left) = match given.as_slice() {
        [topic] => (topic, -1),
        [topic, rows] => (topic, rows.parse::<i64>()?),
        _ => {
            eprintln!("cargo run --bin trades -- TOPIC [ROWS]");
            exit(2)
        }
    };
    read(topic, |row| {
        match serde_json::from_slice(row)? {
            Row::Trade {
                exchange_time,
                side,
                price,
                amount,
            } => {
                println!(
                    "{} {} {amount} at {price}",
                    text(&exchange_time),
                    text(&side)
                );
                left -= 1;
            }
            Row::Status { state, reason } => println!("--- {state} {}", text(&reason)),
            Row::Other => {}
        }
        Ok(left != 0)
    })
    .await
}
