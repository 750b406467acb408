// Prints the indicators of one topic: go run ./indicators TOPIC [ROWS];
// or the rows of files: go run ./indicators --golden FILE...
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"collector/example/bus"
)

// Row has the fields of indicator and status rows that this program prints.
type Row struct {
	Key
	Type       string          `json:"type"`
	Values     json.RawMessage `json:"values"`
	BarsSeen   int             `json:"bars_seen"`
	Warm       bool            `json:"warm"`
	Closed     bool            `json:"closed"`
	Revision   int             `json:"revision"`
	Incomplete bool            `json:"incomplete"`
	State      string          `json:"state"`
	Reason     *string         `json:"reason"`
}

// Key says which rows replace each other.
type Key struct {
	Exchange string `json:"exchange"`
	Symbol   string `json:"symbol"`
	Input    string `json:"input"`
	Interval string `json:"interval"`
	Name     string `json:"name"`
	Params   string `json:"params"`
	OpenTime int64  `json:"open_time"`
}

// Printer prints rows, and remembers which have been replaced.
type Printer struct {
	// revision of each closed value; never forgotten here: a topic keeps 30 days
	revisions map[Key]int
}

// Show prints a row; it tells whether it was a value that is not out of date.
func (p Printer) Show(text []byte) (bool, error) {
	var row Row
	if err := json.Unmarshal(text, &row); err != nil {
		return false, err
	}
	if row.Type == "status" {
		fmt.Println("---", row.State, bus.Text(row.Reason))
	}
	if row.Type != "indicator" || !p.isNew(row) {
		return false, nil
	}
	words, err := row.words()
	if err != nil {
		return false, err
	}
	fmt.Println(strings.Join(words, " "))
	return true, nil
}

// isNew tells whether a value is not replaced yet: live values replace each other, the closed one
// replaces them, and a closed one with a higher revision that one.
func (p Printer) isNew(row Row) bool {
	replaced, known := p.revisions[row.Key]
	if row.Closed && (!known || row.Revision > replaced) {
		p.revisions[row.Key] = row.Revision
		return true
	}
	return !row.Closed && !known
}

func (row Row) words() ([]string, error) {
	name := row.Name
	if row.Params != "" {
		name += ":" + row.Params
	}
	words := []string{
		time.UnixMicro(row.OpenTime).UTC().Format("2006-01-02T15:04:05Z"),
		row.Input, row.Interval, name,
	}
	values, err := inOrder(row.Values)
	if err != nil {
		return nil, err
	}
	words = append(words, values...)
	words = append(words, choose(row.Closed, "closed", "live"), fmt.Sprint("revision=", row.Revision),
		fmt.Sprint("bars=", row.BarsSeen), choose(row.Warm, "warm", "warming"))
	if row.Incomplete {
		words = append(words, "incomplete")
	}
	return words, nil
}

// inOrder returns the values in the order of the row, which a map would lose, each with the digits
// of the row.
func inOrder(values json.RawMessage) ([]string, error) {
	decoder := json.NewDecoder(bytes.NewReader(values))
	decoder.UseNumber()
	words := []string{}
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		value, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		if value == nil {
			value = "null"
		}
		words = append(words, fmt.Sprint(name, "=", value))
	}
	return words, nil
}

func choose(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

func main() {
	log.SetFlags(0)
	given := os.Args[1:]
	var err error
	switch golden := len(given) > 0 && given[0] == "--golden"; {
	case golden && len(given) > 1:
		err = show(given[1:])
	case !golden && (len(given) == 1 || len(given) == 2):
		err = follow(given)
	default:
		log.Fatal("go run ./indicators TOPIC [ROWS], or go run ./indicators --golden FILE...")
	}
	if err != nil {
		log.Fatal(err)
	}
}

func show(files []string) error {
	printer := Printer{map[Key]int{}}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for text := range bytes.Lines(content) {
			if _, err := printer.Show(text); err != nil {
				return err
			}
		}
	}
	return nil
}

func follow(given []string) error {
	left := -1
	if len(given) == 2 {
		rows, err := strconv.Atoi(given[1])
		if err != nil {
			return err
		}
		left = rows
	}
	printer := Printer{map[Key]int{}}
	return bus.Read(given[0], func(text []byte) (bool, error) {
		shown, err := printer.Show(text)
		if shown {
			left--
		}
		return left != 0, err
	})
}
