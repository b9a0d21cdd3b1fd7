// What cedar_bench.c measures, with cedar-go.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
)

type uid struct{ Type, ID string }

func (u uid) entity() types.EntityUID {
	return types.NewEntityUID(types.EntityType(u.Type), types.String(u.ID))
}

func need(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "cedarbench:", err)
		os.Exit(1)
	}
}

func main() {
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(os.Args[1], name))
		need(err)
		return text
	}
	most := time.Second
	if len(os.Args) > 2 {
		n, err := strconv.Atoi(os.Args[2])
		need(err)
		most = time.Duration(n) * time.Second
	}

	text := read("policies.cedar")
	start := time.Now()
	policies, err := cedar.NewPolicySetFromBytes("policies.cedar", text)
	need(err)
	load := time.Since(start)
	var entities types.EntityMap
	need(json.Unmarshal(read("entities.json"), &entities))
	var all []struct {
		Principal, Action, Resource uid
		Context                     types.Record
	}
	need(json.Unmarshal(read("requests.json"), &all))
	var requests []cedar.Request
	for _, r := range all {
		requests = append(requests, cedar.Request{Principal: r.Principal.entity(),
			Action: r.Action.entity(), Resource: r.Resource.entity(), Context: r.Context})
	}

	// Few requests of a large set take long: then not all are asked.
	var passes []float64
	var allowed, faults int
	for begun := time.Now(); len(passes) == 0 || time.Since(begun) < most; {
		start, asked := time.Now(), 0
		allowed, faults = 0, 0
		for _, request := range requests {
			decision, diagnostic := cedar.Authorize(policies, entities, request)
			if decision == cedar.Allow {
				allowed++
			}
			faults += len(diagnostic.Errors)
			asked++
			if len(passes) == 0 && time.Since(start) > 4*most {
				break
			}
		}
		passes = append(passes, float64(time.Since(start).Nanoseconds())/float64(asked))
		if asked < len(requests) {
			fmt.Printf("{\"ns\":%.1f,\"load_us\":%.1f,\"asked\":%d}\n", passes[0],
				float64(load.Nanoseconds())/1e3, asked)
			return
		}
	}
	slices.Sort(passes)
	fmt.Printf("{\"ns\":%.1f,\"load_us\":%.1f,\"allowed\":%d,\"faults\":%d}\n",
		passes[len(passes)/2], float64(load.Nanoseconds())/1e3, allowed, faults)
}
