package crm

import (
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/internal/outcome"
)

// SyntaxError says where a piece of crmsh's language stops making sense, and what was expected
// there.
type SyntaxError struct {
	File string // "" if the text came from the command line
	Line int    // counted from 1; 0 if the text came from the command line
	Word string // the offending word, "" at the end of a statement
	Want string // what was expected
}

// Outcome implements outcome.Of: nothing was changed.
func (e *SyntaxError) Outcome() outcome.Kind { return outcome.Usage }

// Error is file:line: what came, what was expected.
func (e *SyntaxError) Error() string {
	where := ""
	switch {
	case e.File != "":
		where = fmt.Sprintf("%s:%d: ", e.File, e.Line)
	case e.Line != 0:
		where = fmt.Sprintf("line %d: ", e.Line)
	}
	if e.Word == "" {
		return fmt.Sprintf("%sthe statement ends where %s was expected", where, e.Want)
	}
	return fmt.Sprintf("%s%q: expected %s", where, e.Word, e.Want)
}

// word is one word of a statement, its quotes removed, with its line.
type word struct {
	text string
	line int
}

// statement is the words of one statement. An `xml` statement has two: the keyword and everything
// after it.
type statement []word

// splitStatements cuts a text into statements and those into words, as crmsh does: a backslash at
// the end of a line continues the statement, a line that begins with # between statements is a
// comment, and quotes are those of the shell.
func splitStatements(file string, text string) ([]statement, error) {
	var out []statement
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		first := i + 1
		line := strings.TrimSpace(lines[i])
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var parts []word
		for {
			cont := strings.HasSuffix(line, `\`)
			parts = append(parts, word{strings.TrimRight(line, `\`), i + 1})
			if !cont || i+1 == len(lines) {
				break
			}
			i++
			line = strings.TrimSpace(lines[i])
		}
		if rest, ok := cutKeyword(parts[0].text, "xml"); ok {
			parts[0].text = rest
			texts := make([]string, len(parts))
			for j, p := range parts {
				texts[j] = p.text
			}
			out = append(out, statement{
				{"xml", first}, {strings.TrimSpace(strings.Join(texts, " ")), first},
			})
			continue
		}
		var s statement
		for j, p := range parts {
			words, err := splitWords(file, p)
			if err != nil && j+1 < len(parts) { // crmsh joins the lines first
				parts[j+1] = word{p.text + parts[j+1].text, p.line}
				continue
			}
			if err != nil {
				return nil, err
			}
			s = append(s, words...)
		}
		if len(s) > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

// cutKeyword cuts off a keyword that ends at white space or at the end of the text.
func cutKeyword(text, keyword string) (rest string, ok bool) {
	if len(text) < len(keyword) || !strings.EqualFold(text[:len(keyword)], keyword) {
		return "", false
	}
	rest = text[len(keyword):]
	return rest, rest == "" || rest[0] == ' ' || rest[0] == '\t' || rest[0] == '<'
}

// splitWords cuts a line into words: white space separates them, '…' quotes everything, "…"
// everything but \" and \\, and outside quotes a backslash quotes the next character.
func splitWords(file string, line word) ([]word, error) {
	var out []word
	var b strings.Builder
	open := byte(0)
	inWord := false
	s := line.text
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case open == '\'' && c == '\'', open == '"' && c == '"':
			open = 0
		case open == '"' && c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case open != 0:
			b.WriteByte(c)
		case c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f':
			if inWord {
				out = append(out, word{b.String(), line.line})
				b.Reset()
				inWord = false
			}
		case c == '\'' || c == '"':
			open, inWord = c, true
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
			inWord = true
		default:
			b.WriteByte(c)
			inWord = true
		}
	}
	if open != 0 {
		return nil, &SyntaxError{
			File: file, Line: line.line, Word: b.String(),
			Want: fmt.Sprintf("a closing %c in the same statement", open),
		}
	}
	if inWord {
		out = append(out, word{b.String(), line.line})
	}
	return out, nil
}

// needsNoQuotes is crmsh's own rule: letters, digits, '_', '.' and '-'.
func needsNoQuotes(s string) bool {
	if s == "" {
		return false
	}
	for _, c := range s {
		if c != '.' && c != '-' && !isNCName("_"+string(c)) {
			return false
		}
	}
	return true
}

// quote writes a value so that crmsh and splitWords read it back. A backslash is doubled only where
// it would quote what follows, since crmsh itself leaves it alone elsewhere.
func quote(s string) string {
	if needsNoQuotes(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			b.WriteString(`\"`)
		case s[i] == '\\' && (i+1 == len(s) || s[i+1] == '"' || s[i+1] == '\\'):
			b.WriteString(`\\`)
		default:
			b.WriteByte(s[i])
		}
	}
	b.WriteByte('"')
	return b.String()
}

func pair(name, value string) string { return name + "=" + quote(value) }
