package contract

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Transient node attributes, by which a node reports to the cluster. Their names have the
// resource's id: an attribute with the name of an instance would not be found.

// ServersAttribute returns the name of the attribute with what HAProxy sees of its servers, in the
// form of Servers. It exists as long as HAProxy serves: constraints depend on it.
func ServersAttribute(r ResourceID) string { return "hawser-" + r.id }

// CrashAttribute returns the name of the attribute with HAProxy's last crash, in the form of Crash.
func CrashAttribute(r ResourceID) string { return "hawser-" + r.id + "-crash" }

// LoadedAttribute returns the name of the attribute with the configuration that HAProxy serves, in
// the form of Loaded.
func LoadedAttribute(r ResourceID) string { return "hawser-" + r.id + "-config" }

// PushAttribute returns the name of the attribute in which a node answers a PushOrder, in the form
// of PushAnswer.
func PushAttribute(r ResourceID) string { return "hawser-" + r.id + "-push" }

// DoctorAttribute is the name of the private attribute with what the doctor of a node has found.
const DoctorAttribute = "hawser-node-doctor"

// Servers counts HAProxy's servers by what they do.
type Servers struct {
	// Up servers serve, Down ones fail, Draining ones were taken out by somebody (DRAIN, MAINT).
	Up, Down, Draining int
}

// String returns the attribute's value: "up=3,down=1,draining=0".
func (s Servers) String() string {
	return fmt.Sprintf("up=%d,down=%d,draining=%d", s.Up, s.Down, s.Draining)
}

// ParseServers reads the attribute's value; false if it holds no count. Unknown fields come from a
// later version and are skipped.
func ParseServers(value string) (Servers, bool) {
	var s Servers
	found := false
	for part := range strings.SplitSeq(value, ",") {
		name, count, _ := strings.Cut(part, "=")
		n, err := strconv.Atoi(count)
		if err != nil {
			continue
		}
		switch name {
		case "up":
			s.Up, found = n, true
		case "down":
			s.Down, found = n, true
		case "draining":
			s.Draining, found = n, true
		}
	}
	return s, found
}

// Crash is HAProxy's last crash.
type Crash struct {
	At time.Time
	// Took is how long it took until HAProxy served again.
	Took time.Duration
	// Count is how many there have been since the start.
	Count int
}

// String returns the attribute's value: "at=2026-11-21T03:12:07Z,took=0.06,count=2".
func (c Crash) String() string {
	return fmt.Sprintf("at=%s,took=%.2f,count=%d", c.At.UTC().Format(time.RFC3339),
		c.Took.Seconds(), c.Count)
}

// ParseCrash reads the attribute's value; false if it is none. Unknown fields come from a later
// version and are skipped.
func ParseCrash(value string) (Crash, bool) {
	var c Crash
	var errs [3]error
	for part := range strings.SplitSeq(value, ",") {
		switch name, text, _ := strings.Cut(part, "="); name {
		case "at":
			c.At, errs[0] = time.Parse(time.RFC3339, text)
		case "took":
			var seconds float64
			seconds, errs[1] = strconv.ParseFloat(text, 64)
			c.Took = time.Duration(math.Round(seconds * float64(time.Second)))
		case "count":
			c.Count, errs[2] = strconv.Atoi(text)
		}
	}
	if errors.Join(errs[:]...) != nil || c.At.IsZero() {
		return Crash{}, false
	}
	return c, true
}
