package haproxy

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	client "github.com/hawser-ha/hawser/haproxy"
)

// ConfigAttribute is the transient node attribute in which the agent of a resource tells the cluster which configuration HAProxy serves, in
// the form of Taken.String.
func ConfigAttribute(instance string) string { return "hawser-" + instance + "-config" }

// Taken is what a node's HAProxy has taken over, as its agent told the cluster.
type Taken struct {
	// Serves is the hash of the configuration that HAProxy serves, "" where the agent does not know it.
	Serves string
	// Disk is the hash of the node's files where it is another one, or Missing or Unreadable.
	Disk string
	// Generation is the parameter's value that HAProxy was last started or reloaded for, Asked a later one that it could not be reloaded for.
	Generation, Asked string
	// Worker is when the worker that serves was started, by the node's clock.
	Worker time.Time
	// OldWorkers are those of before a reload that still have connections, Conns these. They were counted at the last monitor.
	OldWorkers, Conns int
	// Pending is why a reload that was asked for could not be done, in short.
	Pending string
}

// What Taken.Disk is where there is no hash of it.
const (
	Missing    = "missing"
	Unreadable = "unreadable"
)

// longestPending is how much of a reason the attribute has: all of it is in the exit reason of the monitor.
const longestPending = 160

// String is the attribute's value: "serves=3f9a12bc45de,generation=…,worker=1795236669,old=2,conns=37,pending=…". What is nothing is left out;
// the reason stands last, since it may hold commas.
func (t Taken) String() string {
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
	}
	add("pending", plain(t.Pending))
	return strings.Join(parts, ",")
}

// ParseTaken reads the attribute's value. Names that it does not know are of a later version, and passed over.
func ParseTaken(text string) Taken {
	var t Taken
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
		case "old":
			t.OldWorkers, _ = strconv.Atoi(value)
		case "conns":
			t.Conns, _ = strconv.Atoi(value)
		}
	}
	return t
}

// inAttribute is a value that somebody chose, without what would end it in the attribute.
func inAttribute(value string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == ',' {
			return '_'
		}
		return r
	}, value)
}

// plain is a text as a line of ASCII, cut to what the attribute may have.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r > '~':
			return '?'
		}
		return r
	}, text)
	if len(text) > longestPending {
		text = text[:longestPending-3] + "..."
	}
	return text
}

// hashLength is that of a hash that is shown: 48 bits tell the configurations of a cluster apart.
const hashLength = 12

// ConfigHash tells one configuration from another: short, the same on every node that has the same files in the same places.
func ConfigHash(sources []client.Source) string {
	return digest(sources)[:hashLength]
}

// ConfigFiles are the files and directories of a configuration, in the order in which HAProxy reads them: conffile and those that extraconf
// adds.
func ConfigFiles(conffile string, extraconf []string) []string {
	a := agent{conffile: conffile, extraconf: extraconf}
	return a.userFiles()
}

// wantedHash is the end of a generation that demands a configuration.
var wantedHash = regexp.MustCompile(`@([0-9a-f]{12})$`)

// Generation is a value of the parameter that no other call makes. With a hash, a node takes only that configuration over.
func Generation(now time.Time, salt uint32, hash string) string {
	word := fmt.Sprintf("%s-%08x", now.UTC().Format("20060102T150405Z"), salt)
	if hash != "" {
		word += "@" + hash
	}
	return word
}

// Demanded is the hash that a generation demands, "" if it demands none.
func Demanded(generation string) string {
	if m := wantedHash.FindStringSubmatch(generation); m != nil {
		return m[1]
	}
	return ""
}

// Environment are the HAWSER_ variables that the HAProxy of an instance was started with on this machine, and keeps in its reloads; nil if
// none runs, or they are not to be read.
func Environment(runDir, instance string) []string {
	s, _ := files{filepath.Join(runDir, instance)}.load()
	return s.Env
}
