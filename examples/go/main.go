// Prints the trades of one topic: go run . TOPIC [ROWS].
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Trade has the fields of a trade row that this program prints; prices stay texts.
type Trade struct {
	Type         string  `json:"type"`
	ExchangeTime *int64  `json:"exchange_time"`
	Side         *string `json:"side"`
	Price        string  `json:"price"`
	Amount       string  `json:"amount"`
	State        string  `json:"state"`
	Reason       *string `json:"reason"`
}

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		log.Fatal("go run . TOPIC [ROWS]")
	}
	left := -1
	if len(os.Args) == 3 {
		rows, err := strconv.Atoi(os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		left = rows
	}
	servers := os.Getenv("KAFKA_BOOTSTRAP_SERVERS")
	if servers == "" {
		servers = "localhost:9092"
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(servers, ",")...),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// a topic of one symbol has one partition
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
			os.Args[1]: {0: kgo.NewOffset().AtStart()},
		}),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for left != 0 {
		fetches := client.PollFetches(context.Background())
		for _, failure := range fetches.Errors() {
			log.Fatal(failure.Err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			var row Trade
			if err := json.Unmarshal(record.Value, &row); err != nil {
				log.Fatal(err)
			}
			switch row.Type {
			case "trade":
				if left != 0 {
					fmt.Println(text(row.ExchangeTime), text(row.Side), row.Amount, "at", row.Price)
					left--
				}
			case "status":
				fmt.Println("---", row.State, text(row.Reason))
			}
		})
	}
}

func text[T any](value *T) string {
	if value == nil {
		return "-"
	}
	return fmt.Sprint(*value)
}
