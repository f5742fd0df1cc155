package docrun

import "strings"

// ellipsis stands for any text in a line that a page shows.
const ellipsis = "…"

// question is how a command asks on a terminal whether to continue.
const question = "[y/N]"

// matches looks for each wanted line, in their order, among the lines of the output. It returns the
// first that is not there. The number of blanks does not count: columns are as wide as their
// content.
func matches(want []string, output string) (missing string, ok bool) {
	// An answer is typed ahead: its echo, with the line's end, may come before the question.
	output = strings.ReplaceAll(output, question, question+"\n")
	// a terminal ends lines with both
	lines := strings.FieldsFunc(output, func(r rune) bool { return r == '\n' || r == '\r' })
	for _, w := range want {
		pattern := blanks(w)
		if pattern == "" || pattern == ellipsis {
			continue
		}
		found := false
		for len(lines) > 0 && !found {
			found = matchLine(pattern, blanks(lines[0]))
			lines = lines[1:]
		}
		if !found {
			return w, false
		}
	}
	return "", true
}

func blanks(s string) string { return strings.Join(strings.Fields(s), " ") }

// matchLine compares a line with a pattern in which each … is any text, possibly empty.
func matchLine(pattern, line string) bool {
	parts := strings.Split(pattern, ellipsis)
	if len(parts) == 1 {
		return pattern == line
	}
	rest, ok := strings.CutPrefix(line, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, last)
}
