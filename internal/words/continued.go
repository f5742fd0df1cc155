package words

import "strings"

// tab is how far apart a terminal's tabulators are.
const tab = 8

// Continued breaks a statement of a shell, or of crmsh, into lines of at most so many columns, which
// mean the same as the statement: all but the last end with a backslash. It is broken between words
// outside of quotes alone, so a word may be longer than a line, and not behind the first. A comment
// has to be cut off before.
// quotes are the characters that quote. Lines that it has already stay; what goes below one of them is
// indented by indent, or by four more than the line if that is indented itself.
func Continued(statement string, columns int, indent, quotes string) string {
	var out []string
	for line := range strings.SplitSeq(statement, "\n") {
		if columnsOf(line) <= columns {
			out = append(out, line)
			continue
		}
		text := strings.TrimLeft(line, " \t")
		own := line[:len(line)-len(text)]
		text, goesOn := strings.CutSuffix(text, "\\")
		below := own + "    "
		if own == "" {
			below = indent
		}
		current := own
		for at, word := range quotedWords(text, quotes) {
			switch {
			case at == 0:
				current += word
			case at > 1 && columnsOf(current+" "+word+" \\") > columns:
				out = append(out, current+" \\")
				current = below + word
			default:
				current += " " + word
			}
		}
		if goesOn {
			current += " \\"
		}
		out = append(out, current)
	}
	return strings.Join(out, "\n")
}

// columnsOf is how far a line reaches.
func columnsOf(line string) int {
	at := 0
	for part := range strings.SplitAfterSeq(line, "\t") {
		before, tabbed := strings.CutSuffix(part, "\t")
		at += visible(before)
		if tabbed {
			at += tab - at%tab
		}
	}
	return at
}

// Quotes are the characters that quote in a shell.
const Quotes = "'\"`"

// quotedWords are the words of a statement as they are written: what is quoted is a part of one.
func quotedWords(text, quotes string) []string {
	var all []string
	var word strings.Builder
	var quote rune
	escaped := false
	end := func() {
		if word.Len() > 0 {
			all = append(all, word.String())
			word.Reset()
		}
	}
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case strings.ContainsRune(quotes, r):
			quote = r
		case r == ' ':
			end()
			continue
		}
		word.WriteRune(r)
	}
	end()
	return all
}
