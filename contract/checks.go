package contract

import (
	"strconv"
	"strings"
	"time"
)

// CheckAttribute returns the name of the attribute with the result of a check on the node, which is
// CheckOK or CheckFailed: rules compare it. A node without it has not done the check.
func CheckAttribute(r ResourceID, check string) string { return r.attribute(checkInfix + check) }

// CheckOfAttribute returns the check of whose result an attribute of that name is; false if it is
// none of the resource's.
func CheckOfAttribute(r ResourceID, name string) (check string, ok bool) {
	return strings.CutPrefix(name, CheckAttribute(r, ""))
}

// DoubtAttribute returns the name of the private attribute that a node has while the results of a
// check that holds there have begun to be bad.
func DoubtAttribute(r ResourceID, check string) string { return r.attribute(doubtInfix + check) }

// FailingAttribute returns the name of the attribute with the checks that fail on the node and why,
// in the form of FailingChecks. It is there as long as one fails.
func FailingAttribute(r ResourceID) string { return r.attribute(failingSuffix) }

// WellAttribute returns the name of the attribute that a node has, with the value WellYes, once
// HAProxy has served there for so long without a failing check: addresses that are to go back to a
// node only then compare it. The time is in whole seconds.
func WellAttribute(r ResourceID, since time.Duration) string {
	return r.attribute(wellInfix + strconv.Itoa(int(since/time.Second)))
}

// WellYes is the only value of WellAttribute.
const WellYes = "yes"

// Values of CheckAttribute.
const (
	CheckOK     = "ok"
	CheckFailed = "failed"
)

// CheckedScore is Scores.Checked of most configurations: more than the stickiness that hawser gives an
// address, and than what other addresses on the node are worth.
const CheckedScore = "50000"

// Names of the checks that the parameters check_url and min_servers are, and the keys check and
// min_servers of hawser.yaml.
const (
	CheckURLName   = "check"
	MinServersName = "servers"
)

// FailingCheck is a check that fails.
type FailingCheck struct {
	Name  string
	Since time.Time
	// Why is one line for people.
	Why string
}

// between stands between two checks in the value.
const between = " | "

// FormatFailing returns the attribute's value, the checks with " | " between them, which no reason
// holds, whatever the program said that it comes from:
// "web since=2026-11-21T03:12:07Z GET http://10.0.0.1/: 503 Service Unavailable".
func FormatFailing(checks []FailingCheck) string {
	var parts []string
	for _, c := range checks {
		parts = append(parts, c.Name+" since="+c.Since.UTC().Format(time.RFC3339)+" "+
			strings.ReplaceAll(OneLine(c.Why), "|", "/"))
	}
	return strings.Join(parts, between)
}

// ParseFailing reads the attribute's value. What it does not understand it passes over.
func ParseFailing(value string) []FailingCheck {
	var all []FailingCheck
	for part := range strings.SplitSeq(value, between) {
		name, rest, _ := strings.Cut(part, " ")
		since, why, _ := strings.Cut(rest, " ")
		at, err := time.Parse(time.RFC3339, strings.TrimPrefix(since, "since="))
		if name == "" || err != nil {
			continue
		}
		all = append(all, FailingCheck{name, at, why})
	}
	return all
}
