package crm

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

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
	idRE  = regexp.MustCompile(`\bid="([^"]*)"`)
)

// complaints reads what `crm_verify --verbose` says about the configuration in xml, to whose lines
// its messages refer. What libxml2 says of the schema is put into words of the object that it is
// about: it names the innermost element first, and then everything around that as wrong too.
func complaints(text string, xml []byte) []complaint {
	lines := bytes.Split(xml, []byte("\n"))
	var out []complaint
	seen := map[string]bool{}
	add := func(c complaint) {
		if !seen[c.text] {
			seen[c.text] = true
			out = append(out, c)
		}
	}
	vague, unclear, explained := "", "", false
	schema := func(at, tag, message string) {
		if said := explain(message, at); said != "" {
			add(complaint{text: elementAt(at, tag) + ": " + said})
			explained = true
		} else if vague == "" {
			vague = elementAt(at, tag) + ": " + explainVaguely(message, tag)
		}
	}
	bare := strings.Contains(text, saidVerdict3) // then a line without a prefix is a schema error
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if m := schemaRE.FindStringSubmatch(line); m != nil {
			schema(lineAt(lines, m[1]), m[2], m[3])
		} else if m := logRE.FindStringSubmatch(line); m != nil {
			if (m[2] == "error" || m[2] == "warning") && m[1] != "main" && m[3] != saidInvalid {
				said, _, _ := strings.Cut(m[3], "| rc=") // the rest is for the log
				add(complaint{text: strings.TrimSpace(said), warning: m[2] == "warning"})
			}
		} else if bare && line != "" && !strings.HasPrefix(line, saidVerdict3) {
			if at, tag := about(lines, line); tag != "" {
				schema(at, tag, line)
			} else if unclear == "" {
				unclear = line
			}
		}
	}
	if vague = cmp.Or(vague, unclear); vague != "" && !explained {
		add(complaint{text: vague})
	}
	return out
}

// What libxml2 (2.9) says of an element that the schema refuses, where it says why.
var (
	idrefRE     = regexp.MustCompile(`^IDREF attribute (\S+) references an unknown ID "(.*)"$`)
	typeRE      = regexp.MustCompile(`^Type (\S+) doesn't allow value '(.*)'$`)
	attributeRE = regexp.MustCompile(`^Invalid attribute (\S+) for element \S+$`)
	startRE     = regexp.MustCompile(`^<([A-Za-z_]+)`)
	elementRE   = regexp.MustCompile(`^(?:Element (\S+) failed to validate|Element \S+ has extra ` +
		`content: (\S+)|Extra element (\S+) in interleave)`)
	definedRE = regexp.MustCompile(`^ID (\S+) already defined$`)
)

// saidAttributes ends what libxml2 says of an element whose attributes are not as they must be.
const saidAttributes = "failed to validate attributes"

// typeWords are the schema's types in plain words.
var typeWords = map[string]string{
	"integer": "a whole number", "nonNegativeInteger": "a whole number from 0 on",
	"positiveInteger": "a whole number from 1 on", "decimal": "a number", "boolean": "true or false",
	"ID":    "an id (a letter or _, then letters, digits, '.', '_' and '-')",
	"IDREF": "the id of an object",
}

// explain puts a message into plain words, "" if it does not say why. line is the element's.
func explain(message, line string) string {
	if m := idrefRE.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("%s names %q, which does not exist", m[1], m[2])
	}
	if m := typeRE.FindStringSubmatch(message); m != nil {
		expected := typeWords[m[1]]
		if expected == "" {
			expected = "a value of the type " + m[1]
		}
		return fmt.Sprintf("%q is not accepted: %s is expected", m[2], expected)
	}
	if m := definedRE.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("the id %s is in use already", m[1])
	}
	if m := attributeRE.FindStringSubmatch(message); m != nil {
		value := regexp.MustCompile(`\b` + regexp.QuoteMeta(m[1]) + `="([^"]*)"`).
			FindStringSubmatch(line)
		if value == nil || m[1] == "value" { // which may be a secret
			return m[1] + " is not accepted here"
		}
		return fmt.Sprintf("%s=%q is not accepted here", m[1], value[1])
	}
	if strings.HasSuffix(message, saidAttributes) {
		if strings.HasPrefix(message, "Element nvpair ") {
			return "its name or its value is missing or not accepted (names of options have - " +
				"where others have _)"
		}
		return "one of its attributes is missing or not accepted"
	}
	return ""
}

// explainVaguely puts a message that does not say why into words, for want of a better one.
func explainVaguely(message, tag string) string {
	if outer, ok := strings.CutSuffix(message, " has extra content: "+tag); ok {
		return "this is not accepted inside <" + strings.TrimPrefix(outer, "Element ") + ">"
	}
	return "something in it is missing, or has a value that is not accepted"
}

// about finds the element that a schema error without a line number is about. The line is empty if
// there is none, or more than one that it could be; the tag is too if the message says nothing.
func about(lines [][]byte, message string) (line, tag string) {
	attribute := ""
	if m := attributeRE.FindStringSubmatch(message); m != nil {
		tag, attribute = message[strings.LastIndex(message, " ")+1:], " "+m[1]+`="`
	} else if m := idrefRE.FindStringSubmatch(message); m != nil {
		attribute = " " + m[1] + `="` + m[2] + `"`
	} else if m := elementRE.FindStringSubmatch(message); m != nil {
		tag = cmp.Or(m[1], m[2], m[3])
	} else {
		return "", ""
	}
	for _, l := range lines {
		text := string(bytes.TrimSpace(l))
		m := startRE.FindStringSubmatch(text)
		if m == nil || tag != "" && m[1] != tag || !strings.Contains(text, attribute) {
			continue
		}
		if line != "" {
			return "", tag
		}
		line = text
	}
	if line != "" {
		tag = startRE.FindStringSubmatch(line)[1]
	}
	return line, tag
}

func lineAt(lines [][]byte, number string) string {
	if n, err := strconv.Atoi(number); err == nil && n >= 1 && n <= len(lines) {
		return string(lines[n-1])
	}
	return ""
}

// elementAt names the element on a line.
func elementAt(line, tag string) string {
	if m := idRE.FindStringSubmatch(line); m != nil {
		return tag + " " + m[1]
	}
	return tag
}
