package crm

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// ToolError is a failure of one of Pacemaker's tools. errors.Is matches it with ErrStale,
// ErrNotRunning, ErrNoQuorum, ErrPermission, ErrRefused, ErrNoFencing and ErrNotInstalled.
type ToolError struct {
	Tool    string // "cibadmin"
	Code    int    // exit code; -1 if the tool did not run to its end
	Message string // what happened and what to try
	Err     error
}

// Error is the message, with the tool's name if that helps.
func (e *ToolError) Error() string {
	if e.Code < 0 {
		return e.Tool + " " + e.Message
	}
	return e.Message
}

// Unwrap makes errors.Is work.
func (e *ToolError) Unwrap() error { return e.Err }

// The exit codes of Pacemaker's tools (crm_error --exit --list).
const (
	exitError        = 1
	exitNoPrivilege  = 4
	exitNoInput      = 66
	exitNoPermission = 77
	exitConfig       = 78
	exitDisconnected = 102
	exitOld          = 103
	exitDigest       = 104
	exitNoSuch       = 105
	exitNoQuorum     = 106
	exitExists       = 108
	exitTimeout      = 124
)

// toolError says what a tool's exit code and messages mean. doing is what was attempted: "read the
// configuration".
func (t *Tools) toolError(tool, doing string, out output) error {
	said := said(out)
	e := &ToolError{
		Tool: tool, Code: out.code, Err: fmt.Errorf("%s exited with %d", tool, out.code),
	}
	set := func(err error, format string, args ...any) {
		e.Err, e.Message = err, "cannot "+doing+": "+fmt.Sprintf(format, args...)
	}
	switch {
	case strings.Contains(said, "Permission denied"), out.code == exitNoPrivilege,
		out.code == exitNoPermission:
		set(ErrPermission,
			"permission denied: run this as root, or as a member of the group haclient with the "+
				"right ACLs")
	case out.code == exitNoQuorum, strings.Contains(said, "does not have quorum"),
		strings.Contains(said, "Operation requires quorum"):
		set(ErrNoQuorum,
			"this part of the cluster has no quorum, so Pacemaker accepts no changes: bring more "+
				"nodes back, see `crm_mon -1`")
	case out.code == exitOld, out.code == exitDigest,
		strings.Contains(said, "Application of update diff failed"),
		strings.Contains(said, "Update was older than existing configuration"):
		set(ErrStale, "the configuration has changed since it was read: read it again")
	case out.code == exitDisconnected, out.code == exitNoInput && t.file() == "",
		strings.Contains(said, "Transport endpoint is not connected"),
		strings.Contains(said, "Could not connect"), strings.Contains(said, "Connection refused"):
		if file := t.file(); file != "" {
			set(ErrNotRunning, "%s cannot be read (%s)", file, said)
			break
		}
		if server := t.getenv("CIB_server"); server != "" {
			set(ErrNotRunning,
				"Pacemaker on %s (CIB_server) does not answer (%s): are CIB_port, CIB_user, "+
					"CIB_passwd and CIB_encrypted right, and has that cluster remote-tls-port or "+
					"remote-clear-port set?",
				server, firstLine(said))
			break
		}
		// Without the right to connect, Pacemaker answers as if it did not run.
		if !mayAsk() {
			set(ErrPermission, "permission denied: run this as root, or as a member of the group %s",
				daemonGroup)
			break
		}
		if noNode() {
			set(ErrNotRunning, "Pacemaker does not answer on this node (%s): there is no %s, so this "+
				"machine is no node of a cluster: run this on a balancer", firstLine(said), corosyncConf)
			break
		}
		set(ErrNotRunning,
			"Pacemaker does not answer on this node (%s): start it with `systemctl start "+
				"corosync pacemaker`, see `journalctl -u pacemaker`",
			firstLine(said))
	case out.code == exitTimeout, strings.Contains(said, "Timer expired"):
		set(ErrNotRunning,
			"Pacemaker did not answer in time: the cluster may be electing a DC or have lost its "+
				"quorum, see `crm_mon -1`")
	case out.code == exitConfig, out.code == exitExists:
		set(ErrRefused, "Pacemaker refuses it: %s", said)
	default:
		set(e.Err, "%s exited with %d: %s", tool, out.code, said)
	}
	return e
}

// What Pacemaker says only in words, without an exit code of its own. Seen at 2.1.5 (Debian 12).
const (
	// saidStale is a patch that does not fit the configuration: "Application of an update diff
	// failed" on a cluster (exit codes 103 and 104 too), "Application of update diff failed" on a
	// file (exit code 1).
	saidStale = "Application of"
	// saidWarnings is in crm_verify's last line for warnings alone; its exit code is 78 for them as
	// for errors. saidWarnings3 is the same of Pacemaker 3.0.
	saidWarnings, saidWarnings3 = "Warnings found", "(with warnings)"
	// saidVerdict3 begins crm_verify's last line of Pacemaker 3.0.
	saidVerdict3 = "Configuration invalid"
	// saidInvalid only sums up what was said before.
	saidInvalid = "CIB did not pass schema validation"
	// saidFencing is in crm_verify's errors about fencing: "Resource start-up disabled since no
	// STONITH resources".
	saidFencing = "STONITH"
)

// patchIsStale says whether cibadmin refused a patch because the configuration is another one.
func patchIsStale(out output) bool {
	return out.code == exitOld || out.code == exitDigest || saysStale(out)
}

// saysStale says the same from the words alone, for an unspecific exit code.
func saysStale(out output) bool { return bytes.Contains(out.stderr, []byte(saidStale)) }

// onlyWarnings says whether crm_verify found warnings and no errors.
func onlyWarnings(out output) bool {
	return bytes.Contains(out.stderr, []byte(saidWarnings)) ||
		bytes.Contains(out.stderr, []byte(saidWarnings3))
}

// onlyFencing says whether the errors are all about a fencing device that is missing.
func onlyFencing(errs []string) bool {
	for _, e := range errs {
		if !strings.Contains(e, saidFencing) {
			return false
		}
	}
	return true
}

// said returns what a tool said about its failure, in one line, without what only its authors need.
func said(out output) string {
	text := out.stderr
	if len(bytes.TrimSpace(text)) == 0 {
		text = errorsOf(out.stdout)
	}
	var lines []string
	for _, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "Init failed") ||
			dumpRE.MatchString(line) {
			continue
		}
		lines = append(lines, line)
		if len(lines) == 8 {
			break
		}
	}
	if len(lines) == 0 {
		return "it said nothing"
	}
	return strings.Join(lines, "; ")
}

// errorsOf returns the errors in a tool's output: all of it, or with --output-as=xml the messages
// (<status><errors><error>, or else the status' own).
func errorsOf(text []byte) []byte {
	doc := etree.NewDocument()
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")) || doc.ReadFromBytes(text) != nil {
		return text
	}
	var all []string
	for _, el := range doc.FindElements("//status/errors/error") {
		all = append(all, el.Text())
	}
	if status := doc.FindElement("//status"); len(all) == 0 && status != nil {
		all = append(all, value(status, "message"))
	}
	if len(all) == 0 {
		return text
	}
	return []byte(strings.Join(all, "\n"))
}

// dumpRE is a line of the configuration that cibadmin prints when it refuses it.
var dumpRE = regexp.MustCompile(`^[0-9]+\s*(<.*)?$`)

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "; ")
	return line
}

// complaint is one message of crm_verify.
type complaint struct {
	text    string
	warning bool
}

var (
	schemaRE = regexp.MustCompile(`^[^ :]*:([0-9]+): element ([^ :]+): (?:Relax-NG )?validity ` +
		`error : (.*)$`)
	// logRE is a message; Pacemaker 3.0 leaves the function out, as it does the line and element of
	// a schema error.
	logRE = regexp.MustCompile(`^(?:\(([A-Za-z0-9_]+)\)\s+)?(error|warning|notice|info): (.*)$`)
	// bareAttributeRE and bareReferenceRE are schema errors of 3.0 that name what they are about.
	bareAttributeRE = regexp.MustCompile(`^Invalid attribute ([^ ]+) for element ([^ ]+)$`)
	bareReferenceRE = regexp.MustCompile(`^IDREF attribute ([^ ]+) references an unknown ID "(.*)"$`)
	idRE            = regexp.MustCompile(`\bid="([^"]*)"`)
)

// complaints reads what `crm_verify --verbose` says about the configuration in xml, to whose lines
// its messages refer. A schema error is rephrased in terms of the object that it is about.
func complaints(text string, xml []byte) []complaint {
	lines := bytes.Split(xml, []byte("\n"))
	bare := strings.Contains(text, saidVerdict3) // then a line without a prefix is a schema error
	var out []complaint
	seen := map[string]bool{}
	add := func(c complaint) {
		if !seen[c.text] {
			seen[c.text] = true
			out = append(out, c)
		}
	}
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if m := schemaRE.FindStringSubmatch(line); m != nil {
			if !consequence(m[3]) {
				add(complaint{text: elementAt(lines, m[1], m[2]) + ": " + m[3]})
			}
			continue
		}
		if m := logRE.FindStringSubmatch(line); m != nil {
			if (m[2] == "error" || m[2] == "warning") && m[1] != "main" && m[3] != saidInvalid {
				said, _, _ := strings.Cut(m[3], "| rc=") // the rest is for the log
				add(complaint{text: strings.TrimSpace(said), warning: m[2] == "warning"})
			}
			continue
		}
		if bare && line != "" && !strings.HasPrefix(line, saidVerdict3) && !consequence(line) {
			add(complaint{text: about(lines, line) + line})
		}
	}
	return out
}

// consequence says whether a schema error only follows from another one.
func consequence(message string) bool {
	return strings.Contains(message, "has extra content") ||
		strings.Contains(message, "failed to validate content") ||
		strings.HasPrefix(message, "Expecting")
}

// about names the object that a schema error without a line number is about, followed by a colon:
// nothing if there is more than one that it could be.
func about(lines [][]byte, message string) string {
	var start, attribute string
	if m := bareAttributeRE.FindStringSubmatch(message); m != nil {
		start, attribute = "<"+m[2]+" ", " "+m[1]+`="`
	} else if m := bareReferenceRE.FindStringSubmatch(message); m != nil {
		start, attribute = "<", " "+m[1]+`="`+m[2]+`"`
	} else {
		return ""
	}
	name := ""
	for i, line := range lines {
		text := string(bytes.TrimSpace(line))
		if !strings.HasPrefix(text, start) || !strings.Contains(text, attribute) {
			continue
		}
		if name != "" {
			return ""
		}
		tag, _, _ := strings.Cut(text[1:], " ")
		name = elementAt(lines, strconv.Itoa(i+1), tag) + ": "
	}
	return name
}

// elementAt names the element on a line.
func elementAt(lines [][]byte, number, tag string) string {
	n, err := strconv.Atoi(number)
	if err == nil && n >= 1 && n <= len(lines) {
		if m := idRE.FindSubmatch(lines[n-1]); m != nil {
			return tag + " " + string(m[1])
		}
	}
	return tag
}
