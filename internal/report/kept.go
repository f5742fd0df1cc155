package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/atomicfile"
)

// Kept is what the file holds.
type Kept struct {
	Machines []Machine `json:"machines"`
	Rows     []Row     `json:"rows"`
	Plots    []Plot    `json:"plots,omitempty"`
}

// Load reads the file; one that does not exist is an empty report.
func Load(path string) (*Kept, error) {
	k := &Kept{}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, k); err != nil {
		return nil, fmt.Errorf("%s: %w: repair it, or delete it and measure again", path, err)
	}
	return k, nil
}

// begin drops what the benchmark had recorded in earlier runs: it may have changed its rows' names.
func (k *Kept) begin(benchmark string, here stamp) {
	k.Rows = slices.DeleteFunc(k.Rows,
		func(r Row) bool { return r.Benchmark == benchmark && r.Run != here.run })
	k.Plots = slices.DeleteFunc(k.Plots,
		func(p Plot) bool { return p.Benchmark == benchmark && p.Run != here.run })
	k.Machines = slices.DeleteFunc(k.Machines,
		func(m Machine) bool { return m.ID == here.machine.ID || !k.measuredOn(m.ID) })
	k.Machines = append(k.Machines, here.machine)
}

func (k *Kept) measuredOn(machine string) bool {
	return slices.ContainsFunc(k.Rows, func(r Row) bool { return r.Machine == machine })
}

func (k *Kept) put(r Row) {
	for i, old := range k.Rows {
		if old.Section == r.Section && old.What == r.What {
			k.Rows[i] = r
			return
		}
	}
	k.Rows = append(k.Rows, r)
}

func (k *Kept) illustrate(p Plot) {
	for i, old := range k.Plots {
		if old.File == p.File {
			k.Plots[i] = p
			return
		}
	}
	k.Plots = append(k.Plots, p)
}

// update changes the file as a whole, one process after the other: two benchmarks may run at once.
func update(path string, change func(*Kept)) error {
	// the folder is the lock: no file of its own is left behind
	lock, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("locking %s: %w", lock.Name(), err)
	}
	k, err := Load(path)
	if err != nil {
		return err
	}
	change(k)
	text, err := json.MarshalIndent(k, "", " ")
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(text, '\n'), 0o644)
}
