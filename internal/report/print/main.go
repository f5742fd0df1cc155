// Command print shows what the benchmarks recorded, and writes it as a page, and the table that the
// demonstration ends with: print docs/benchmarks.json docs/benchmarks.md
// cmd/hawser-lab/comparison.txt
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/hawser-ha/hawser/internal/report"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: print ROWS.json PAGE.md COMPARISON.txt")
		os.Exit(2)
	}
	if err := show(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func show(rows, page, comparison string) error {
	k, err := report.Load(rows)
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := k.Markdown(&text); err != nil {
		return err
	}
	if err := os.WriteFile(page, []byte(text.String()), 0o644); err != nil {
		return err
	}
	text.Reset()
	if err := k.Comparison(&text); err != nil {
		return err
	}
	if err := os.WriteFile(comparison, []byte(text.String()), 0o644); err != nil {
		return err
	}
	return k.Text(os.Stdout)
}
