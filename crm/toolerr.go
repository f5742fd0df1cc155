package crm

import (
	"bytes"
	"fmt"
	"regexp"
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
	exitProtocol     = 76
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
	case out.code == exitProtocol, strings.Contains(said, "Protocol not supported"):
		set(ErrRefused, "it is of a newer version of Pacemaker than the tools on this machine "+
			"(crm_feature_set in its first line): use those of its own machine")
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

// aboutFencing separates the errors about a fencing device that is missing from the others.
func aboutFencing(errs []string) (fencing, others []string) {
	for _, e := range errs {
		if strings.Contains(e, saidFencing) {
			fencing = append(fencing, e)
		} else {
			others = append(others, e)
		}
	}
	return fencing, others
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
