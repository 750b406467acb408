// Package bus reads one topic, from the first row kept.
package bus

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Read calls take for each row until it returns false, or fails.
func Read(topic string, take func(row []byte) (bool, error)) error {
	servers := os.Getenv("KAFKA_BOOTSTRAP_SERVERS")
	if servers == "" {
		servers = "localhost:9092"
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(servers, ",")...),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// a topic of one symbol has one partition
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
			topic: {0: kgo.NewOffset().AtStart()},
		}),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		fetches := client.PollFetches(context.Background())
		if err := fetches.Err(); err != nil {
			return err
		}
		for rows := fetches.RecordIter(); !rows.Done(); {
			if more, err := take(rows.Next().Value); err != nil || !more {
				return err
			}
		}
	}
}

// Text returns what a field holds, or a dash for null and for an empty text.
func Text[T any](value *T) string {
	if value == nil || fmt.Sprint(*value) == "" {
		return "-"
	}
	return fmt.Sprint(*value)
}
