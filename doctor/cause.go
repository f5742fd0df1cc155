package doctor

import (
	"errors"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/corosync"
)

// causeOf names the daemon that does not answer, if that is why a check could not be done; it is the
// name of the check that reports this.
func causeOf(err error) string {
	switch {
	case errors.Is(err, crm.ErrNotRunning), errors.Is(err, crm.ErrNotInstalled):
		return "cluster"
	case errors.Is(err, corosync.ErrNotRunning):
		return "corosync"
	}
	return ""
}

// collapsed is the report for people: of all checks that could not be done since one daemon does not
// answer, the one that reports this is shown, and the names of the others.
func (r Report) collapsed() Report {
	short := Report{Checked: r.Checked}
	var left []Finding
	others := map[string][]Finding{}
	reported := map[string]*Finding{}
	for _, f := range r.Findings {
		switch {
		case f.Severity == Unknown && f.cause != "" && f.cause != f.Check:
			others[f.cause] = append(others[f.cause], f)
			continue
		case f.Severity == Unknown && f.Reported == nil:
			if _, known := reported[f.Check]; !known {
				reported[f.Check] = &f
			}
		}
		left = append(left, f)
	}
	var after []Finding // each follows the one that reports its cause
	for cause, all := range others {
		primary := reported[cause]
		if primary == nil { // of one node's checks nobody else reports it
			primary = &all[0]
			left, all = append(left, all[0]), all[1:]
		}
		if len(all) > 0 {
			after = append(after, alike(*primary, all))
		}
	}
	short.Add(left...)
	for _, f := range after {
		at := slices.IndexFunc(short.Findings, func(p Finding) bool {
			return p.Check == f.cause && p.Node == f.Node && p.Severity == Unknown
		})
		short.Findings = slices.Insert(short.Findings, at+1, f)
	}
	return short
}

// alike is one finding for checks that could not be done for the same reason as another.
func alike(primary Finding, all []Finding) Finding {
	var names []string
	for _, f := range all {
		names = append(names, f.Check)
	}
	slices.Sort(names)
	return Finding{
		Severity: Unknown, Node: primary.Node, Check: strings.Join(slices.Compact(names), ", "),
		What: "could not be checked for the same reason", cause: primary.Check,
		Why: "each may be fine or not: `hawser doctor --list` says what they look for",
	}
}
