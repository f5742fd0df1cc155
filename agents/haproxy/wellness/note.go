package wellness

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/atomicfile"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// note is what is known from one step to the next.
type note struct {
	// Boot is the kernel's boot id: the clock of another boot means nothing.
	Boot string `json:"boot"`
	// Since is when HAProxy began to be well, by the time since boot; Ill is set while it is not.
	Since time.Duration `json:"since"`
	Ill   bool          `json:"ill,omitempty"`
	// Told are the times whose attributes may be there, Forgotten is set if they may not be.
	Told      []time.Duration `json:"told,omitempty"`
	Forgotten bool            `json:"forgotten,omitempty"`
}

func (n *note) add(t time.Duration) {
	if !slices.Contains(n.Told, t) {
		n.Told = append(slices.Clone(n.Told), t)
	}
}

func (n *note) remove(t time.Duration) {
	n.Told = slices.DeleteFunc(slices.Clone(n.Told), func(other time.Duration) bool { return other == t })
}

// read returns the note; false if there is none that can be read.
func (c *Counter) read() (note, bool) {
	if c.unsaved != nil {
		return *c.unsaved, true
	}
	text, err := atomicfile.ReadOwn(c.File)
	var n note
	if err != nil || json.Unmarshal(text, &n) != nil {
		return note{}, false
	}
	return n, true
}

// write notes what has changed.
func (c *Counter) write(n note) error {
	if old, there := c.read(); there && c.unsaved == nil && reflect.DeepEqual(old, n) {
		return nil
	}
	text, err := json.Marshal(n)
	if err == nil {
		err = atomicfile.WriteOver(c.File, append(text, '\n'), 0o600)
	}
	c.unsaved = nil
	if err != nil {
		c.unsaved = &n
		return fmt.Errorf("cannot write %s: %w", c.File, err)
	}
	return nil
}

// SinceBoot is the Clock of this machine.
func SinceBoot() (boot string, up time.Duration) {
	boot, err := procfs.Default.BootID()
	var now unix.Timespec
	if err != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) != nil {
		return "", 0
	}
	return boot, time.Duration(now.Nano())
}
