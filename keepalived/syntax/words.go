package syntax

import "strings"

// blanks are what separates words within a line.
const blanks = " \t"

// decomment removes a comment and the white space around a line; open says that a quote has no end. A
// # or ! begins one anywhere outside double quotes, in a word too, unless a backslash stands before
// it. A backslash at the end stays, next to the text.
func decomment(text string) (pure string, open bool) {
	text = strings.TrimLeft(text, blanks)
	var b strings.Builder
	quoted, comment, continued := false, false, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 == len(text):
			continued = true
			continue
		case c == '\\' && (text[i+1] == '#' || text[i+1] == '!') && !quoted:
			i++
			c = text[i]
		case c == '\\':
			if !comment {
				b.WriteByte(c)
			}
			i++
			c = text[i]
		case comment:
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '#' || c == '!'):
			comment = true
		}
		if !comment {
			b.WriteByte(c)
		}
	}
	pure = strings.TrimRight(b.String(), blanks)
	if continued {
		pure += `\`
	}
	return pure, quoted
}

// indentation is the white space before a line, tabs as four spaces, and not too much of it.
func indentation(text string) string {
	blank := text[:len(text)-len(strings.TrimLeft(text, blanks))]
	blank = strings.ReplaceAll(blank, "\t", "    ")
	return blank[:min(len(blank), 24)]
}

// splitBrace returns what is up to the first brace outside double quotes, or the brace if it is the
// first of the line, and the rest.
func splitBrace(text string) (first, rest string) {
	at := 0
	for at < len(text) {
		found := strings.IndexAny(text[at:], `{}"`)
		if found < 0 {
			return text, ""
		}
		at += found
		if text[at] != '"' {
			break
		}
		end := strings.IndexByte(text[at+1:], '"')
		if end < 0 {
			return text, ""
		}
		at += end + 2
	}
	switch {
	case at >= len(text):
		return text, ""
	case at == 0:
		return text[:1], strings.Trim(text[1:], blanks)
	}
	return text[:at], text[at:]
}

// unquoted are the parts of a line that are in no double quotes.
func unquoted(text string) []string {
	var out []string
	for i, part := range strings.Split(text, `"`) {
		if i%2 == 0 {
			out = append(out, part)
		}
	}
	return out
}

// split cuts a line into words; ok is false where a quote has no end. A quoted part is a word of its
// own, without its quotes.
func split(text string) (words []string, ok bool) {
	for {
		text = strings.TrimLeft(text, blanks+"\n\r\v\f")
		if text == "" {
			return words, true
		}
		if text[0] == '"' {
			word, rest, closed := strings.Cut(text[1:], `"`)
			if !closed {
				return words, false
			}
			words, text = append(words, word), rest
			continue
		}
		end := strings.IndexAny(text, blanks+"\n\r\v\f\"")
		if end < 0 {
			end = len(text)
		}
		words, text = append(words, text[:end]), text[end:]
	}
}

// cutBlank cuts a line behind its first word.
func cutBlank(text string) (word, rest string, ok bool) {
	at := strings.IndexAny(text, blanks)
	if at < 0 {
		return text, "", false
	}
	return text[:at], strings.TrimLeft(text[at:], blanks), true
}

// Script cuts the line of a script, a notify or a process into its words, where single quotes
// count and backslashes escape; ok is false where a quote has no end.
func Script(text string) (words []string, ok bool) {
	var b strings.Builder
	in, begun := byte(0), false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text):
			i++
			begun = true
			var n int
			c, n = escaped(text[i:])
			b.WriteByte(c)
			i += n - 1
		case c == '\\':
			return words, false
		case in != 0 && c == in:
			in = 0
		case in != 0:
			b.WriteByte(c)
		case c == '"' || c == '\'':
			in, begun = c, true
		case strings.IndexByte(blanks+"\n\r\v\f", c) >= 0:
			if begun {
				words = append(words, b.String())
				b.Reset()
			}
			begun = false
		default:
			begun = true
			b.WriteByte(c)
		}
	}
	if in != 0 {
		return words, false
	}
	if begun {
		words = append(words, b.String())
	}
	return words, true
}

// escaped returns what stands behind a backslash, and in how many bytes.
func escaped(text string) (c byte, length int) {
	digits := func(from, most int, base byte) (byte, int) {
		value, n := byte(0), from
		for n < len(text) && n-from < most {
			d := hexDigit(text[n])
			if d >= base {
				break
			}
			value = value*base + d
			n++
		}
		return value, n
	}
	switch c := text[0]; {
	case c == 'x' && len(text) > 1 && hexDigit(text[1]) < 16:
		return digits(1, len(text), 16)
	case c == 'c' && len(text) > 1:
		return text[1] & 0x1f, 2
	case c >= '0' && c <= '7':
		return digits(0, 3, 8)
	}
	if at := strings.IndexByte("abEfnrtv", text[0]); at >= 0 {
		return "\a\b\x1b\f\n\r\t\v"[at], 1
	}
	return text[0], 1
}

func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
