package haproxy

import (
	"slices"
	"strings"
)

// complaintLines is how many alerts make a complaint: the later ones usually follow from the first.
const complaintLines = 3

// Complaint extracts what an operator needs to know about a failure from HAProxy's output, in one
// line: the first alerts without their prefix "[ALERT] (1234) : ", and without the summaries that
// HAProxy adds. If the only alert is a summary, the warnings say why: that is how HAProxy 3.1 and
// later refuse a `program` section. It is "" if there are only empty lines.
func Complaint(output string) string {
	said := messagesOf(output)
	alerts := said.alerts
	switch {
	case len(alerts) > 0:
	case said.refused && len(said.warnings) > 0:
		alerts = said.warnings
	default:
		alerts = said.others
	}
	if more := len(alerts) - complaintLines; more > 0 {
		alerts = append(alerts[:complaintLines:complaintLines], "…")
	}
	return strings.Join(alerts, "; ")
}

// Refused returns what HAProxy's output says about a configuration that it could not read, nil if
// it does not say so: a HAProxy that has read it may still fail, at an address for instance.
func Refused(output string) *CheckError {
	if said := messagesOf(output); said.unreadable {
		return &CheckError{Complaint: Complaint(output), Unresolved: said.unresolved()}
	}
	return nil
}

// messages are what HAProxy has said.
type messages struct {
	alerts, warnings, others []string
	// refused is set if there is a summary, unreadable if it says that the configuration could not
	// be read.
	refused, unreadable bool
}

func messagesOf(output string) messages {
	var said messages
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		text, alert := strings.CutPrefix(line, "[ALERT]")
		warning, warns := strings.CutPrefix(line, "[WARNING]")
		switch {
		case line == "" || strings.HasPrefix(line, "[NOTICE]"):
		case warns && summary(warning): // such as a pidfile of the user's beside the agent's
		case warns:
			said.warnings = append(said.warnings, bare(warning))
		case !alert:
			said.others = append(said.others, line)
		case summary(text):
			said.refused = true
			said.unreadable = said.unreadable || unreadable(text)
		default:
			said.alerts = append(said.alerts, bare(text))
		}
	}
	return said
}

// unresolved reports whether all that HAProxy complains about are names that it could not resolve:
// the resolver may answer a moment later.
func (m messages) unresolved() bool {
	return len(m.alerts) > 0 && !slices.ContainsFunc(m.alerts, func(alert string) bool {
		// of an address to bind it says the same as of one that is mistyped
		_, invalid, _ := strings.Cut(alert, "invalid address: '")
		name, _, _ := strings.Cut(invalid, "'")
		return !strings.Contains(alert, "could not resolve address") && !hostName(name)
	})
}

// hostName reports whether a text can be a host's name, and cannot be an address.
func hostName(text string) bool {
	letter := false
	return strings.IndexFunc(text, func(r rune) bool {
		isLetter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		letter = letter || isLetter
		return !isLetter && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	}) < 0 && letter
}

// bare removes the process id and the word "config" that HAProxy puts before each message, and
// makes "FILE:LINE: " of its "parsing [FILE:LINE] : " and "[FILE:LINE] : ": Pacemaker cuts an exit
// reason at 127 characters.
func bare(text string) string {
	if _, rest, ok := strings.Cut(text, ") : "); ok && strings.HasPrefix(strings.TrimSpace(text),
		"(") {
		text = rest
	}
	text = strings.TrimPrefix(strings.TrimSpace(text), "config : ")
	if rest, ok := strings.CutPrefix(strings.TrimPrefix(text, "parsing "), "["); ok {
		if place, message, ok := strings.Cut(rest, "]"); ok {
			return place + ": " + strings.TrimLeft(message, " :")
		}
	}
	return text
}

// summary reports whether an alert only says that there were others, or that HAProxy continues
// despite it.
func summary(text string) bool {
	return strings.HasSuffix(text, " Continuing.") || unreadable(text) ||
		// the worker that has read the configuration, with 3.1 and later
		strings.HasSuffix(text, " exited with code 1 (Exit)") ||
		strings.HasSuffix(text, "Some protocols failed to start their listeners! Exiting.")
}

// unreadable reports whether an alert says that the configuration could not be read.
func unreadable(text string) bool {
	return strings.Contains(text, "Error(s) found in configuration file") ||
		strings.Contains(text, "Fatal errors found in configuration") ||
		strings.Contains(text, "server(s) addr.")
}
