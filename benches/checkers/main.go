// Judges histories of registers with porcupine, as `benches/checkers.rs` does with dacapo-check: the same operations, the same model,
// one partition for each key. Prints the verdict and how long judging took, without reading.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

type input struct {
	f        string
	key      string
	from, to int
}

// What was read (-1: nothing), whether a swap took place, whether anybody heard of it.
type output struct {
	value int
	did   bool
	known bool
}

var model = porcupine.Model{
	PartitionEvent: func(history []porcupine.Event) [][]porcupine.Event {
		keys := map[string]int{}
		keyOf := map[int]int{}
		var parts [][]porcupine.Event
		for _, event := range history {
			if event.Kind == porcupine.CallEvent {
				key := event.Value.(input).key
				if _, known := keys[key]; !known {
					keys[key] = len(parts)
					parts = append(parts, nil)
				}
				keyOf[event.Id] = keys[key]
			}
			parts[keyOf[event.Id]] = append(parts[keyOf[event.Id]], event)
		}
		return parts
	},
	Init: func() interface{} { return -1 },
	Step: func(state, in, out interface{}) (bool, interface{}) {
		value, asked, told := state.(int), in.(input), out.(output)
		switch asked.f {
		case "write":
			return true, asked.to
		case "read":
			return !told.known || told.value == value, value
		}
		does := value == asked.from
		if told.known && told.did != does {
			return false, value
		}
		if does {
			return true, asked.to
		}
		return true, value
	},
}

func number(text string) int {
	if text == "null" {
		return -1
	}
	value, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return value
}

// Lines as dacapo-check prints them: `@time process invoke f key value`, `process ok answer`, `process unknown`.
func read(path string) []porcupine.Event {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	var events []porcupine.Event
	open, asked := map[int]int{}, map[int]input{}
	next := 0
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if strings.HasPrefix(words[0], "@") {
			words = words[1:]
		}
		process := number(words[0])
		id := open[process]
		switch words[1] {
		case "invoke":
			in := input{f: words[2], key: words[3]}
			switch in.f {
			case "write":
				in.to = number(words[4])
			case "cas":
				pair := strings.Split(strings.Trim(words[4], "[]"), ",")
				in.from, in.to = number(pair[0]), number(pair[1])
			}
			events = append(events, porcupine.Event{ClientId: process, Kind: porcupine.CallEvent, Value: in, Id: next})
			open[process], asked[next] = next, in
			next++
			continue
		case "ok":
			out := output{known: true, value: -1}
			if asked[id].f == "cas" {
				out.did = words[2] == "true"
			} else if len(words) > 2 {
				out.value = number(words[2])
			}
			events = append(events, porcupine.Event{ClientId: process, Kind: porcupine.ReturnEvent, Value: out, Id: id})
			delete(asked, id)
		}
		delete(open, process)
	}
	// What nobody heard of may happen at any later time: it returns after everything else.
	for id := 0; id < next; id++ {
		if _, is_open := asked[id]; is_open {
			events = append(events, porcupine.Event{ClientId: id, Kind: porcupine.ReturnEvent, Value: output{}, Id: id})
		}
	}
	return events
}

func main() {
	for _, path := range os.Args[1:] {
		events := read(path)
		begin := time.Now()
		result := porcupine.CheckEventsTimeout(model, events, time.Minute)
		fmt.Printf("%s: %s in %.3f s\n", path, result, time.Since(begin).Seconds())
	}
}
