package contract

import (
	"strconv"
	"strings"
	"time"
)

// Loaded is the configuration that a node's HAProxy has loaded, and what happened to later ones.
type Loaded struct {
	// Serves is the hash of the configuration that HAProxy serves, "" if the agent does not know
	// it.
	Serves string
	// Disk is the hash of the node's files if it differs, or Missing or Unreadable.
	Disk string
	// Generation is the parameter's value that HAProxy was last started or reloaded for, Asked a
	// later one that it could not be reloaded for.
	Generation, Asked string
	// Worker is when the worker that serves was started, by the node's clock.
	Worker time.Time
	// OldWorkers are workers from before a reload that still have connections, Conns these. They
	// were counted at the last monitor.
	OldWorkers, Conns int
	// Cut is when the last of the old workers has to end, by the node's clock, if that is known.
	Cut time.Time
	// Previous is whether the node has kept the configuration that it served before a push.
	Previous bool
	// Pending is why a requested reload could not be done, in short.
	Pending string
}

// Values of Loaded.Disk if there is no hash of the files.
const (
	Missing    = "missing"
	Unreadable = "unreadable"
)

// longestReason is how much of a reason fits into an attribute. The whole reason is in the
// monitor's exit reason and in the log.
const longestReason = 160

// String returns the attribute's value:
// "serves=3f9a12bc45de,generation=…,worker=1795236669,old=2,conns=37,pending=…". Empty fields are
// left out; the reason comes last, since it may hold commas.
func (t Loaded) String() string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+"="+value)
		}
	}
	add("serves", t.Serves)
	add("disk", t.Disk)
	add("generation", inAttribute(t.Generation))
	add("asked", inAttribute(t.Asked))
	if !t.Worker.IsZero() {
		add("worker", strconv.FormatInt(t.Worker.Unix(), 10))
	}
	if t.OldWorkers > 0 {
		add("old", strconv.Itoa(t.OldWorkers))
		add("conns", strconv.Itoa(t.Conns))
		if !t.Cut.IsZero() {
			add("cut", strconv.FormatInt(t.Cut.Unix(), 10))
		}
	}
	if t.Previous {
		add("previous", "1")
	}
	add("pending", OneLine(t.Pending))
	return strings.Join(parts, ",")
}

// ParseLoaded reads the attribute's value. Unknown names come from a later version and are skipped.
func ParseLoaded(text string) Loaded {
	var t Loaded
	if before, after, ok := strings.Cut(","+text, ",pending="); ok {
		t.Pending, text = after, strings.TrimPrefix(before, ",")
	}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "serves":
			t.Serves = value
		case "disk":
			t.Disk = value
		case "generation":
			t.Generation = value
		case "asked":
			t.Asked = value
		case "worker":
			if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
				t.Worker = time.Unix(seconds, 0)
			}
		case "previous":
			t.Previous = value == "1"
		case "cut":
			if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
				t.Cut = time.Unix(seconds, 0)
			}
		case "old":
			t.OldWorkers, _ = strconv.Atoi(value)
		case "conns":
			t.Conns, _ = strconv.Atoi(value)
		}
	}
	return t
}

// inAttribute returns a freely chosen value without the characters that would end it in the
// attribute.
func inAttribute(value string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == ',' {
			return '_'
		}
		return r
	}, value)
}

// OneLine returns a text as a line of ASCII, cut to what an attribute may have of a reason.
func OneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r > '~':
			return '?'
		}
		return r
	}, text)
	if len(text) > longestReason {
		text = text[:longestReason-3] + "..."
	}
	return text
}
