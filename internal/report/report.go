// Package report keeps what benchmarks measured: each figure next to its peers', with its goal, the
// command that made it and the machine it was made on. Rows are kept in a file
// (docs/benchmarks.json) as they come, so that an interrupted or partial run does not lose the
// others; print makes docs/benchmarks.md from them.
//
// It imports internal/atomicfile: it knows figures, not what they measure. Open report.go first.
package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FileEnv names the environment variable with the path of the file in which rows are kept. `make
// bench` sets it; without it a row is printed and not kept.
const FileEnv = "HAWSER_BENCH_FILE"

// The sections of the report, in its order. A benchmark may add its own sections, which come after
// these.
const (
	SectionMonitor = "Cost of a monitor"
	SectionWrite   = "Writing the set-up"
	SectionStatus  = "Status"
	SectionCrash   = "HAProxy killed"
	SectionLost    = "A node lost"
	SectionSites   = "Two data centres"
	SectionMoves   = "Planned moves"
	SectionAddress = "An address on a LAN"
	SectionReload  = "Reloads"
	SectionProtect = "Connections held during a reload"
	SectionGrowth  = "Growth"
)

func sections() []string {
	return []string{
		SectionMonitor, SectionWrite, SectionStatus, SectionCrash, SectionLost, SectionSites, SectionMoves,
		SectionAddress, SectionReload, SectionProtect, SectionGrowth,
	}
}

// Row is one comparison, or one figure of our own.
type Row struct {
	// Section is one of the Section constants, or a heading of the benchmark's own.
	Section string `json:"section"`
	// What was measured; unique within the section.
	What string `json:"what"`
	Ours Figure `json:"ours"`
	// Theirs are the peers' figures. A goal about a ratio refers to the first, unless it names
	// another.
	Theirs []Figure `json:"theirs,omitempty"`
	Goals  []Goal   `json:"goals,omitempty"`
	// Note is what a reader has to know about the row, in a sentence.
	Note string `json:"note,omitempty"`
	// Command is the command that made the row; Record fills in the call of make if it is empty.
	Command string `json:"command"`

	// Record fills these.
	Benchmark string    `json:"benchmark"`
	Run       string    `json:"run"`
	Date      time.Time `json:"date"`
	Commit    string    `json:"commit"`
	Machine   string    `json:"machine"`
}

// Figure is one measured value.
type Figure struct {
	// Name is who or what was measured, such as "hawser status" or "keepalived, advert_int 1".
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"` // "ms", "s", "MiB"; "" for a count
	// Detail is how the value was obtained: "median of 9, 812–1,104".
	Detail string `json:"detail,omitempty"`
	// More are further figures of the same measurement, shown with it: CPU time, memory.
	More []Figure `json:"more,omitempty"`
}

// Goal is a bound of our figure, or of its ratio to a peer's.
type Goal struct {
	AtMost float64 `json:"at_most"`
	// Ratio says that the bound applies to ours/theirs.
	Ratio bool `json:"ratio,omitempty"`
	// Than names the peer's figure; "" is the first.
	Than string `json:"than,omitempty"`
}

// AtMost bounds our figure, in its own unit.
func AtMost(value float64) Goal { return Goal{AtMost: value} }

// RatioAtMost bounds ours/theirs, of the first peer.
func RatioAtMost(ratio float64) Goal { return Goal{AtMost: ratio, Ratio: true} }

// RatioAtMostOf bounds ours/theirs, of the peer whose figure has that name.
func RatioAtMostOf(peer string, ratio float64) Goal {
	return Goal{AtMost: ratio, Ratio: true, Than: peer}
}

// Plot is a picture that goes with a section.
type Plot struct {
	Section string `json:"section"`
	// File is the SVG file, relative to docs/.
	File string `json:"file"`
	// Caption says in a sentence what the picture shows.
	Caption string `json:"caption"`

	Benchmark string `json:"benchmark"`
	Run       string `json:"run"`
}

// ratio is ours to theirs, if both have the same unit and theirs is not zero.
func ratio(ours, theirs Figure) (float64, bool) {
	if ours.Unit != theirs.Unit || theirs.Value == 0 {
		return 0, false
	}
	return ours.Value / theirs.Value, true
}

// held compares the row with a goal. A goal about a peer that was not measured is not reached.
func (r Row) held(g Goal) bool {
	if !g.Ratio {
		return r.Ours.Value <= g.AtMost
	}
	for i, t := range r.Theirs {
		if g.Than == "" && i == 0 || g.Than == t.Name {
			q, ok := ratio(r.Ours, t)
			return ok && q <= g.AtMost
		}
	}
	return false
}

// Reached says whether the row keeps all its goals.
func (r Row) Reached() bool {
	for _, g := range r.Goals {
		if !r.held(g) {
			return false
		}
	}
	return true
}

// Record prints a row and keeps it, in place of what the same benchmark recorded in an earlier run.
func Record(b *testing.B, r Row) {
	b.Helper()
	if r.Section == "" || r.What == "" || r.Ours.Name == "" {
		b.Fatalf("report: a row needs a section, what was measured, and whose figure it is: %+v", r)
	}
	here, err := stampOf(b.Name())
	if err != nil {
		b.Fatalf("report: %v", err)
	}
	r.Benchmark, r.Run, r.Date = b.Name(), here.run, here.date
	r.Commit, r.Machine = here.commit, here.machine.ID
	if r.Command == "" {
		r.Command = here.command
	}
	var line strings.Builder
	writeText(&line, []Row{r})
	fmt.Fprint(os.Stdout, line.String())
	if len(r.Theirs) > 0 {
		if q, ok := ratio(r.Ours, r.Theirs[0]); ok {
			b.ReportMetric(q, "ratio")
		}
	}
	b.ReportMetric(0, "ns/op") // the time of the benchmark as a whole says nothing
	path := os.Getenv(FileEnv)
	if path == "" {
		return
	}
	err = update(path, func(k *Kept) {
		k.begin(b.Name(), here)
		k.put(r)
	})
	if err != nil {
		b.Fatalf("report: %v", err)
	}
}

// Illustrate keeps a picture with the report: the SVG is written to p.File below the report's
// folder.
func Illustrate(b *testing.B, p Plot, svg []byte) {
	b.Helper()
	path := os.Getenv(FileEnv)
	if path == "" {
		return
	}
	here, err := stampOf(b.Name())
	if err != nil {
		b.Fatalf("report: %v", err)
	}
	p.Benchmark, p.Run = b.Name(), here.run
	file := filepath.Join(filepath.Dir(path), p.File)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		b.Fatalf("report: %v", err)
	}
	if err := os.WriteFile(file, svg, 0o644); err != nil {
		b.Fatalf("report: %v", err)
	}
	if err := update(path, func(k *Kept) {
		k.begin(b.Name(), here)
		k.illustrate(p)
	}); err != nil {
		b.Fatalf("report: %v", err)
	}
}
