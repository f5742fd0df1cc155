package haproxy

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Proc is a process that a master knows of.
type Proc struct {
	PID int
	// Type is master, worker, or the name of a program section.
	Type string
	// Reloads is the number of reloads that the process has lived through; for the master, those
	// tried since it started.
	Reloads int
	Uptime  time.Duration
	// Version is empty if HAProxy does not report it.
	Version string
}

// Procs is the family of a master (`show proc`).
type Procs struct {
	Master Proc
	// Failed is the number of failed reloads since the last successful one.
	Failed int
	// Workers serve. OldWorkers take no more connections and end with their last one. From HAProxy
	// 3.1 on, a new worker is among the workers while it still reads its configuration.
	Workers, OldWorkers   []Proc
	Programs, OldPrograms []Proc
}

// parseProcs reads `show proc` (Management Guide, section 9.4.1). HAProxy up to 2.4 has one more
// column, "<relative PID>", and writes "[was: 1]" into it for old workers; the number of failed
// reloads, "[failed: 1]", is there from 2.6 on.
func parseProcs(answer string) (Procs, error) {
	var p Procs
	var columns []string
	section := &p.Workers
	for line := range strings.Lines(answer) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			continue
		case strings.HasPrefix(line, "#<PID>"):
			columns = procColumns(line)
			continue
		case strings.HasPrefix(line, "#"):
			switch strings.TrimSpace(strings.TrimPrefix(line, "#")) {
			case "workers":
				section = &p.Workers
			case "old workers":
				section = &p.OldWorkers
			case "programs":
				section = &p.Programs
			case "old programs":
				section = &p.OldPrograms
			default:
				section = new([]Proc) // from a later version, not needed here
			}
			continue
		case columns == nil:
			return Procs{}, fmt.Errorf("no header in the answer %s", excerpt(answer))
		}
		proc, failed, err := parseProc(columns, line)
		if err != nil {
			return Procs{}, err
		}
		if proc.Type == "master" {
			p.Master, p.Failed = proc, failed
		} else {
			*section = append(*section, proc)
		}
	}
	if p.Master.PID == 0 {
		return Procs{}, fmt.Errorf("no master in the answer %s", excerpt(answer))
	}
	p.keepServing()
	return p, nil
}

// keepServing puts the worker that keeps serving after a failed reload among those that serve.
// HAProxy 3.1 and later count it among the old ones as soon as they begin a reload, and leave it
// there.
func (p *Procs) keepServing() {
	if p.Failed == 0 || len(p.Workers) > 0 || len(p.OldWorkers) == 0 {
		return
	}
	youngest := 0
	for i, w := range p.OldWorkers {
		if w.Reloads < p.OldWorkers[youngest].Reloads {
			youngest = i
		}
	}
	p.Workers = []Proc{p.OldWorkers[youngest]}
	p.OldWorkers = slices.Delete(p.OldWorkers, youngest, youngest+1)
}

// procColumns returns the names between < and > of the header.
func procColumns(header string) []string {
	var names []string
	for {
		_, rest, ok := strings.Cut(header, "<")
		if !ok {
			return names
		}
		name, rest, ok := strings.Cut(rest, ">")
		if !ok {
			return names
		}
		names = append(names, name)
		header = rest
	}
}

// parseProc reads the line of one process.
func parseProc(columns []string, line string) (proc Proc, failed int, err error) {
	bad := func(what string) error { return fmt.Errorf("show proc: %s in the line %q", what, line) }
	if before, rest, ok := strings.Cut(line, "[failed:"); ok {
		number, after, ok := strings.Cut(rest, "]")
		if failed, err = strconv.Atoi(strings.TrimSpace(number)); err != nil || !ok || failed < 0 {
			return Proc{}, 0, bad("no number of failed reloads")
		}
		line = before + after
	}
	if before, rest, ok := strings.Cut(line, "[was:"); ok {
		_, after, _ := strings.Cut(rest, "]")
		line = before + " 0 " + after
	}
	words := strings.Fields(line)
	if len(words) < 2 {
		return Proc{}, 0, bad("too few columns")
	}
	for i, name := range columns {
		if i >= len(words) {
			break
		}
		switch name {
		case "PID":
			proc.PID, err = strconv.Atoi(words[i])
			if err == nil && proc.PID <= 0 {
				err = strconv.ErrRange
			}
		case "type":
			proc.Type = words[i]
		case "reloads":
			proc.Reloads, err = strconv.Atoi(words[i])
		case "uptime":
			proc.Uptime, err = parseUptime(words[i])
		case "version":
			proc.Version = strings.Trim(words[i], "-")
		}
		if err != nil {
			return Proc{}, 0, bad("no valid <" + name + ">")
		}
	}
	if proc.PID == 0 {
		return Proc{}, 0, bad("no <PID>")
	}
	return proc, failed, nil
}

// parseUptime reads "1d02h03m04s".
func parseUptime(text string) (time.Duration, error) {
	total := time.Duration(0)
	rest := text
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		number, after, ok := strings.Cut(rest, unit.letter)
		if !ok {
			return 0, fmt.Errorf("%q is not a time such as 1d02h03m04s", text)
		}
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is not a time such as 1d02h03m04s", text)
		}
		total += time.Duration(n) * unit.length
		rest = after
	}
	if rest != "" {
		return 0, fmt.Errorf("%q is not a time such as 1d02h03m04s", text)
	}
	return total, nil
}

// Procs queries `show proc`. While the master executes itself again in a reload its socket refuses
// connections: see Settled.
func (m Master) Procs(ctx context.Context) (Procs, error) {
	// the master keeps the connection open without the quit
	answer, err := ask(ctx, m.Path, "show proc;quit")
	if err != nil {
		return Procs{}, err
	}
	if answer == "" {
		return Procs{}, fmt.Errorf("%s: show proc: %w", m.Path, errNoAnswer)
	}
	procs, err := parseProcs(answer)
	if err != nil {
		return Procs{}, fmt.Errorf("%s: %w", m.Path, err)
	}
	return procs, nil
}
