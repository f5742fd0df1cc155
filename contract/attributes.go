package contract

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Transient node attributes, by which a node reports to the cluster. Their names have the
// resource's id: an attribute with the name of an instance would not be found.

// attribute returns the name of an attribute. A resource's own id may end like the name of another's
// attribute: that of "web-config" would be the configuration of "web". Such a one gets a colon, which
// no id has.
func (r ResourceID) attribute(suffix string) string {
	mark := ""
	if r.id == "node-doctor" || strings.Contains(r.id, checkInfix) || strings.Contains(r.id, doubtInfix) ||
		strings.Contains(r.id, wellInfix) ||
		slices.ContainsFunc([]string{crashSuffix, handedOverSuffix, loadedSuffix, pushSuffix, failingSuffix},
			func(suffix string) bool { return strings.HasSuffix(r.id, suffix) }) {
		mark = ":"
	}
	return "hawser-" + r.id + mark + suffix
}

// What the names of attributes have behind the resource's id.
const (
	crashSuffix      = "-crash"
	handedOverSuffix = "-handed-over"
	loadedSuffix     = "-config"
	pushSuffix       = "-push"
	failingSuffix    = "-failing"
	checkInfix       = "-check-"
	doubtInfix       = "-doubt-"
	wellInfix        = "-well-"
)

// ServersAttribute returns the name of the attribute with what HAProxy sees of its servers, in the
// form of Servers. It exists as long as HAProxy serves: constraints depend on it.
func ServersAttribute(r ResourceID) string { return r.attribute("") }

// CrashAttribute returns the name of the attribute with HAProxy's last crash, in the form of Crash.
func CrashAttribute(r ResourceID) string { return r.attribute(crashSuffix) }

// HandedOverAttribute returns the name of the attribute with why HAProxy was last left to the cluster,
// in the form of HandedOver. Pacemaker itself calls that failure SimulatedFailure.
func HandedOverAttribute(r ResourceID) string { return r.attribute(handedOverSuffix) }

// SimulatedFailure is the exit reason that Pacemaker gives a failure that it was told of (crm_resource
// --fail, daemons/controld/controld_execd.c).
const SimulatedFailure = "Simulated failure"

// LoadedAttribute returns the name of the attribute with the configuration that HAProxy serves, in
// the form of Loaded.
func LoadedAttribute(r ResourceID) string { return r.attribute(loadedSuffix) }

// PushAttribute returns the name of the attribute in which a node answers a PushOrder, in the form
// of PushAnswer.
func PushAttribute(r ResourceID) string { return r.attribute(pushSuffix) }

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

// HandedOver is HAProxy left to the cluster.
type HandedOver struct {
	At time.Time
	// Why is one line for people.
	Why string
}

// String returns the attribute's value: "at=2026-11-21T03:12:07Z,why=it keeps crashing". The reason
// comes last, since it may hold commas.
func (h HandedOver) String() string {
	return "at=" + h.At.UTC().Format(time.RFC3339) + ",why=" + OneLine(h.Why)
}

// ParseHandedOver reads the attribute's value; false if it is none.
func ParseHandedOver(value string) (HandedOver, bool) {
	head, why, ok := strings.Cut(value, ",why=")
	at, err := time.Parse(time.RFC3339, strings.TrimPrefix(head, "at="))
	if !ok || err != nil {
		return HandedOver{}, false
	}
	return HandedOver{at, why}, true
}
