package crm

import (
	"errors"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hawser-ha/hawser/param"
)

// isNCName says whether the string can be an id: in the CIB's schema ids have XML's type ID, which
// is a name without a colon.
func isNCName(s string) bool {
	for i, c := range s {
		switch {
		case c == '_' || unicode.IsLetter(c):
		case i > 0 && (c == '-' || c == '.' || unicode.IsDigit(c) || unicode.Is(unicode.Mn, c)):
		default:
			return false
		}
	}
	return s != "" && utf8.ValidString(s)
}

// checkID reports an id that XML does not allow.
func (r *report) checkID(field, id string) {
	switch {
	case id == "":
		r.add(field, "", "an id is required")
	case !isNCName(id):
		r.add(field, id,
			"is not an id: it must begin with a letter or _, followed by letters, digits, '.', "+
				"'_' and '-' only")
	}
}

// checkText reports a value that XML cannot hold, or that Pacemaker would change when it writes the
// CIB: 2.1 writes a line feed as the two characters \n and a tab as spaces, and no longer escapes
// markup after a character beyond ASCII, which makes the whole configuration unreadable for its own
// tools.
func (r *report) checkText(field, value string) {
	if !utf8.ValidString(value) {
		r.add(field, value, "is not valid UTF-8")
		return
	}
	beyond := false
	for _, c := range value {
		switch {
		case c == '\n' || c == '\r' || c == '\t':
			r.add(field, value, "holds a line break or a tab, which Pacemaker does not keep")
			return
		case c < ' ' || c == 0x7f || c == 0xfffe || c == 0xffff:
			r.add(field, value, "holds the control character U+%04X, which XML does not allow", c)
			return
		case c > 0x7f:
			beyond = true
		case beyond && strings.ContainsRune(`&<>"'`, c):
			r.add(field, value,
				"holds %q after a character beyond ASCII, which Pacemaker cannot write", c)
			return
		}
	}
}

// checkAttrs reports nameless and repeated attributes, and values that cannot be kept.
func (r *report) checkAttrs(field string, attrs Attrs) {
	seen := map[string]bool{}
	for _, a := range attrs {
		name := field + " " + a.Name
		if a.Name == "" {
			r.add(field, a.Value, "has no name")
			continue
		}
		if !nameRE.MatchString(a.Name) {
			r.add(field, a.Name, "is not a name: letters, digits and _.:#-/ are accepted")
		}
		if seen[a.Name] {
			r.add(name, a.Value, "is given more than once")
		}
		seen[a.Name] = true
		r.checkText(name, a.Value)
	}
}

// nameRE matches the names of attributes and agents that crmsh's grammar allows and agents use.
var nameRE = regexp.MustCompile(`^[A-Za-z0-9_#][A-Za-z0-9_.:#/@+-]*$`)

// checkOneOf reports a value that is not among the choices; "" is always allowed.
func (r *report) checkOneOf(field, value string, choices ...string) {
	if value == "" {
		return
	}
	for _, c := range choices {
		if value == c {
			return
		}
	}
	r.add(field, value, "must be %s", orList(choices))
}

func orList(choices []string) string {
	if len(choices) < 2 {
		return strings.Join(choices, "")
	}
	return strings.Join(choices[:len(choices)-1], ", ") + " or " + choices[len(choices)-1]
}

var (
	roles   = []string{"Started", "Stopped", "Promoted", "Unpromoted", "Master", "Slave"}
	actions = []string{"start", "promote", "demote", "stop"}
	kinds   = []string{"Mandatory", "Optional", "Serialize"}
	bools   = []string{"true", "false"}
)

var scoreRE = regexp.MustCompile(`^[+-]?(INFINITY|[0-9]+)$`)

// checkScore reports what is neither a number nor an infinity.
func (r *report) checkScore(field, score string) {
	if !scoreRE.MatchString(score) {
		r.add(field, score, "is not a score: a whole number, INFINITY or -INFINITY is expected")
	}
}

// parseInterval reads a time as Pacemaker does: a number of seconds, or a number with a unit. ISO
// 8601 durations (P…) are accepted and come back as -1, their length unknown.
func parseInterval(s string) (time.Duration, error) {
	if strings.HasPrefix(s, "P") && len(s) > 2 {
		return -1, nil
	}
	d, err := param.ParseDuration(s)
	if err != nil {
		return 0, errors.New("is not a time such as 15s, 500ms or 2min")
	}
	return d, nil
}
