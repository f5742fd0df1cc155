// Command manual writes the manual pages of the resource agents into a directory: manual VERSION
// DIR.
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

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: manual VERSION DIR")
		os.Exit(2)
	}
	for _, a := range []*ocf.Agent{haproxy.New(os.Args[1]), floatip.New(os.Args[1])} {
		path := filepath.Join(os.Args[2], manual.AgentName("hawser", a)+".7")
		//nolint:gosec // for everybody to read
		if err := os.WriteFile(path, []byte(manual.Agent("hawser", a)), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "manual:", err)
			os.Exit(1)
		}
	}
}
