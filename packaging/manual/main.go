// Command manual writes the manual pages of the resource agents, and those pages of the documentation
// that are wanted where no browser is, into a directory: manual VERSION DIR.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/hawser-ha/hawser/agents/floatip"
	"github.com/hawser-ha/hawser/agents/haproxy"
	"github.com/hawser-ha/hawser/internal/manual"
	"github.com/hawser-ha/hawser/ocf"
)

// pages are pages of docs that are manual pages too, and what they are about.
var pages = []struct{ name, about string }{
	{"operations", "what to type for every change, and in an emergency"},
	{"troubleshooting", "what is broken, by symptom, and what fixes it"},
	{"fencing", "what makes sure that an unreachable node is down"},
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: manual VERSION DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "manual:", err)
		os.Exit(1)
	}
}

func write(version, dir string) error {
	for _, a := range []*ocf.Agent{haproxy.New(version), floatip.New(version)} {
		err := put(dir, manual.AgentName("hawser", a)+".7", manual.Agent("hawser", a))
		if err != nil {
			return err
		}
	}
	for _, p := range pages {
		text, err := os.ReadFile(filepath.Join("docs", p.name+".md"))
		if err != nil {
			return err
		}
		h := manual.Header{
			Name: "hawser-" + p.name, Section: "7", Short: p.about, Version: version,
			Part: "Cluster administration",
		}
		page := manual.Markdown(h, string(text), manual.Section{
			Title: "SEE ALSO", Prose: true,
			Text: "hawser(8), hawser.yaml(5), and the other pages in /usr/share/doc/hawser",
		})
		if err := put(dir, h.Name+".7", page); err != nil {
			return err
		}
	}
	return nil
}

func put(dir, name, page string) error {
	//nolint:gosec // for everybody to read
	return os.WriteFile(filepath.Join(dir, name), []byte(page), 0o644)
}
