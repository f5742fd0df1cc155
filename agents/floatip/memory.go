package floatip

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/atomicfile"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// memory is what the agent has known about the instance since the node booted.
type memory struct {
	// Started are the settings of the last start, the zero value after a stop.
	Started settings
	// Held is whether the address was here when that was last known.
	Held bool
	// Boot and Up say when the last start was confirmed: in which boot, and how long that was after
	// it began. The wall clock may be set meanwhile.
	Boot string
	Up   time.Duration
	// Since is the same by the wall clock, for people, and for what an older version noted.
	Since time.Time

	path string
}

// recall reads the memory; a missing or broken one counts as empty: what it would have said is
// unknown.
func recall(dir string) *memory {
	m := &memory{}
	path := filepath.Join(dir, "state.json")
	if text, err := os.ReadFile(path); err == nil && json.Unmarshal(text, m) != nil {
		m = &memory{}
	}
	m.path = path
	return m
}

func (m *memory) begin(s settings) { *m = memory{Started: s, path: m.path} }

// seen notes that the address is here.
func (m *memory) seen(s settings) { m.Started, m.Held = s, true }

// started notes that the address is here by a start that is confirmed now.
func (m *memory) started(s settings) {
	m.seen(s)
	m.Since = time.Now().Round(0)
	m.Boot, m.Up = clock()
}

// age is how long ago the last start was confirmed; very long if that is not known.
func (m *memory) age() time.Duration {
	if m.Boot == "" {
		return time.Since(m.Since)
	}
	if boot, up := clock(); boot == m.Boot && up >= m.Up {
		return up - m.Up
	}
	return math.MaxInt64
}

// clock returns the id of this boot and the time since it began, which goes on while the machine
// sleeps; an empty id if they cannot be read.
func clock() (boot string, up time.Duration) {
	boot, err := procfs.Default.BootID()
	var now unix.Timespec
	if err != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) != nil {
		return "", 0
	}
	return boot, time.Duration(now.Nano())
}

func (m *memory) lost() { m.Held = false }

// save writes the memory so that a reader sees either the old one or the new one.
func (m *memory) save() error {
	text, err := json.Marshal(m)
	if err == nil {
		err = atomicfile.Write(m.path, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("cannot note the state of the address: %w", err)
	}
	return nil
}

// forget deletes the memory, at the end of a stop.
func (m *memory) forget() error {
	if err := os.Remove(m.path); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("cannot remove the note on the address: %w", err)
	}
	return nil
}
