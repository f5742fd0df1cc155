package floatip

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hawser-ha/hawser/internal/atomicfile"
)

// memory is what the agent has known about the instance since the node booted.
type memory struct {
	// Started are the settings of the last start, the zero value after a stop.
	Started settings
	// Held is whether the address was here when that was last known.
	Held bool
	// Since is when the last start was confirmed.
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

func (m *memory) begin(s settings) { m.Started, m.Held, m.Since = s, false, time.Time{} }

// seen notes that the address is here. A zero time keeps the time of the start.
func (m *memory) seen(s settings, at time.Time) {
	m.Started, m.Held = s, true
	if !at.IsZero() {
		m.Since = at.Round(0)
	}
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
