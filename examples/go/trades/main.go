// Prints the trades of one topic: go run ./trades TOPIC [ROWS].
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"

	"collector/example/bus"
)

// Row has the fields of trade and status rows that this program prints; prices stay texts.
type Row struct {
	Type         string  `json:"type"`
	ExchangeTime *int64  `json:"exchange_time"`
	Side         *string `json:"side"`
	Price        string  `json:"price"`
	Amount       string  `json:"amount"`
	State        string  `json:"state"`
	Reason       *string `json:"reason"`
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 || len(os.Args) > 3 {
		log.Fatal("go run ./trades TOPIC [ROWS]")
	}
	left := -1
	if len(os.Args) == 3 {
		rows, err := strconv.Atoi(os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		left = rows
	}
	err := bus.Read(os.Args[1], func(text []byte) (bool, error) {
		var row Row
		if err := json.Unmarshal(text, &row); err != nil {
			return false, err
		}
		switch row.Type {
		case "trade":
			fmt.Println(bus.Text(row.ExchangeTime), bus.Text(row.Side), row.Amount, "at", row.Price)
			left--
		case "status":
			fmt.Println("---", row.State, bus.Text(row.Reason))
		}
		return left != 0, nil
	})
	if err != nil {
		log.Fatal(err)
	}
}
