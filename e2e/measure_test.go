package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// measureEnv makes this test binary a stopwatch: it runs inside a node, where two commands can be timed in turn without the cost of
// entering the node for each run.
const measureEnv = "HAWSER_E2E_MEASURE"

// contest is two commands to be timed in turn, A B A B …
type contest struct {
	A, B command
	Runs int
}

type command struct {
	Args []string
	Env  []string
	// Before runs before every timed run, untimed.
	Before [][]string
}

// figures are the medians of one command's runs. CPU and memory are the operating system's account of the process and of all
// children it waited for; the memory is at least that of the stopwatch itself, from which the process was forked.
type figures struct {
	Wall, CPU time.Duration
	RSS       int64 // KiB, of the largest process
}

type outcome struct {
	A, B figures
	Runs int
}

func stopwatch(spec string) int {
	var c contest
	if err := json.Unmarshal([]byte(spec), &c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	var a, b []figures
	for i := range c.Runs + 1 {
		for _, side := range []struct {
			command
			into *[]figures
		}{{c.A, &a}, {c.B, &b}} {
			for _, reset := range side.Before {
				if out, err := exec.Command(reset[0], reset[1:]...).CombinedOutput(); err != nil {
					fmt.Fprintf(os.Stderr, "%q: %v: %s\n", reset, err, out)
					return 1
				}
			}
			f, err := timed(side.command)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			if i > 0 { // the first is a warm-up
				*side.into = append(*side.into, f)
			}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(outcome{medians(a), medians(b), c.Runs}); err != nil {
		return 1
	}
	return 0
}

func timed(c command) (figures, error) {
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Env = append(os.Environ(), c.Env...)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	wall := time.Since(began)
	if err != nil {
		return figures{}, fmt.Errorf("%q: %w: %s", c.Args, err, out)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return figures{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), usage.Maxrss}, nil
}

func medians(all []figures) figures {
	mid := func(of func(figures) int64) int64 {
		values := make([]int64, len(all))
		for i, f := range all {
			values[i] = of(f)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return figures{
		Wall: time.Duration(mid(func(f figures) int64 { return int64(f.Wall) })),
		CPU:  time.Duration(mid(func(f figures) int64 { return int64(f.CPU) })),
		RSS:  mid(func(f figures) int64 { return f.RSS }),
	}
}
