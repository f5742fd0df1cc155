package haproxy

import "strings"

// complaintLines is how many alerts make a complaint: the later ones usually follow from the first.
const complaintLines = 3

// Complaint extracts what an operator needs to know about a failure from HAProxy's output, in one
// line: the first alerts without their prefix "[ALERT] (1234) : ", and without the summaries that
// HAProxy adds. If the only alert is a summary, the warnings say why: that is how HAProxy 3.1 and
// later refuse a `program` section. It is "" if there are only empty lines.
func Complaint(output string) string {
	var alerts, warnings, others []string
	refused := false
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		text, alert := strings.CutPrefix(line, "[ALERT]")
		warning, warns := strings.CutPrefix(line, "[WARNING]")
		switch {
		case line == "" || strings.HasPrefix(line, "[NOTICE]"):
		case warns:
			warnings = append(warnings, bare(warning))
		case !alert:
			others = append(others, line)
		case summary(text):
			refused = true
		default:
			alerts = append(alerts, bare(text))
		}
	}
	switch {
	case len(alerts) > 0:
	case refused && len(warnings) > 0:
		alerts = warnings
	default:
		alerts = others
	}
	if more := len(alerts) - complaintLines; more > 0 {
		alerts = append(alerts[:complaintLines:complaintLines], "…")
	}
	return strings.Join(alerts, "; ")
}

// bare removes the process id and the word "config" that HAProxy puts before each message, and
// makes "FILE:LINE: " of its "parsing [FILE:LINE] : ": Pacemaker cuts an exit reason at 127
// characters.
func bare(text string) string {
	if _, rest, ok := strings.Cut(text, ") : "); ok && strings.HasPrefix(strings.TrimSpace(text),
		"(") {
		text = rest
	}
	text = strings.TrimPrefix(strings.TrimSpace(text), "config : ")
	if rest, ok := strings.CutPrefix(text, "parsing ["); ok {
		if place, message, ok := strings.Cut(rest, "]"); ok {
			return place + ": " + strings.TrimLeft(message, " :")
		}
	}
	return text
}

// summary reports whether an alert only says that there were others, or that HAProxy continues
// despite it.
func summary(text string) bool {
	return strings.HasSuffix(text, " Continuing.") ||
		strings.Contains(text, "Error(s) found in configuration file") ||
		strings.HasSuffix(text, "Some protocols failed to start their listeners! Exiting.") ||
		strings.Contains(text, "Fatal errors found in configuration")
}
