package checks

import (
	"encoding/json"
	"os"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/atomicfile"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// Book is the records of a resource's checks on this node, by the checks' names.
type Book struct {
	Records map[string]*Record `json:"records,omitempty"`
	// Published are the names of the checks whose attributes may be there.
	Published []string `json:"published,omitempty"`
	// Kept is set where a keeper does the checks, and not a monitor.
	Kept bool `json:"kept,omitempty"`
	// Forgotten is set if the cluster may have forgotten what was published.
	Forgotten bool `json:"forgotten,omitempty"`
	// Until is when the monitor that does the checks will have done them again for sure, zero if that is
	// not known.
	Until time.Time `json:"until,omitzero"`
}

// ReadBook reads the file; one that is missing or damaged holds nothing.
func ReadBook(path string) Book {
	var b Book
	if text, err := os.ReadFile(path); err != nil || json.Unmarshal(text, &b) != nil {
		b = Book{}
	}
	if b.Records == nil {
		b.Records = map[string]*Record{}
	}
	for name, r := range b.Records {
		if r == nil {
			delete(b.Records, name)
		}
	}
	return b
}

// Write replaces the file.
func (b Book) Write(path string) error {
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(text, '\n'), 0o600)
}

// Of returns the record of a check, a new one if there is none.
func (b Book) Of(name string) *Record {
	if b.Records[name] == nil {
		b.Records[name] = &Record{}
	}
	return b.Records[name]
}

// Failing returns the checks that fail, of those with the names.
func (b Book) Failing(names []string) []contract.FailingCheck {
	var all []contract.FailingCheck
	for _, name := range names {
		if r := b.Records[name]; r != nil && r.Failed {
			all = append(all, contract.FailingCheck{Name: name, Since: r.Since, Why: r.Why})
		}
	}
	return all
}

// Values returns the values of the attributes of those with the names whose result is known.
func (b Book) Values(names []string) map[string]string {
	values := map[string]string{}
	for _, name := range names {
		if r := b.Records[name]; r != nil && r.Known {
			if values[name] = contract.CheckOK; r.Failed {
				values[name] = contract.CheckFailed
			}
		}
	}
	return values
}

// HeldFor returns for how long HAProxy has run and none of its checks has failed, as far as that is
// known. started is the start of its master in clock ticks since boot.
func (b Book) HeldFor(started uint64) time.Duration {
	since, err := procfs.Began(started)
	if err != nil || started == 0 {
		return 0
	}
	for _, r := range b.Records {
		if r.Since.After(since) {
			since = r.Since
		}
	}
	return max(time.Since(since), 0)
}

// Keep forgets the records of checks that do not have one of the names.
func (b Book) Keep(names []string) {
	for name := range b.Records {
		if !slices.Contains(names, name) {
			delete(b.Records, name)
		}
	}
}
