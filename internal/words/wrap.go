package words

import (
	"strings"
)

// Screen is how many columns a terminal is taken to have.
const Screen = 80

// Wrap breaks a text between words into lines of at most so many columns. What stands in `backquotes`
// is a command that may be pasted, and stays together. A word that is longer than a line stands in one
// of its own. Colours take no room.
func Wrap(text string, width int) []string { return wrapWords(together(text), width) }

// longestCommand is how long a command may be that is not broken: what is longer, and what others have
// written between two backquotes, is.
const longestCommand = 2 * Screen

// together are the words of a text, those in backquotes as one word.
func together(text string) []string {
	var all []string
	fields := strings.Fields(text)
	for at := 0; at < len(fields); at++ {
		word, end := fields[at], at
		for strings.Count(word, "`")%2 == 1 && end+1 < len(fields) {
			end++
			word += " " + fields[end]
		}
		if end > at && strings.Count(word, "`")%2 == 0 && visible(word) <= longestCommand {
			at = end
		} else {
			word = fields[at]
		}
		all = append(all, word)
	}
	return all
}

func wrapWords(all []string, width int) []string {
	var lines []string
	line := ""
	for _, word := range all {
		if line != "" && visible(line)+1+visible(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// Lines wraps those lines of a text that are longer than so many columns. What goes below is indented
// as the line itself is, and by so much more.
func Lines(text string, columns, deeper int) string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if visible(line) <= columns {
			out = append(out, line)
			continue
		}
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		below := indent + strings.Repeat(" ", deeper)
		for i, part := range Wrap(line, columns-len(below)) {
			if i == 0 {
				part = indent + part
			} else {
				part = below + part
			}
			out = append(out, part)
		}
	}
	return strings.Join(out, "\n")
}

// Hang wraps a text behind a lead, and aligns what goes below with its beginning. Each line ends with
// a newline.
func Hang(lead, text string, columns int) string {
	var b strings.Builder
	indent := strings.Repeat(" ", visible(lead))
	for _, line := range Wrap(text, columns-len(indent)) {
		b.WriteString(lead + line + "\n")
		lead = indent
	}
	return b.String()
}

// Fill wraps the paragraphs of a text. Lines that begin with a space are examples and tables, and
// stand as they are.
func Fill(text string, width int) string {
	var lines, paragraph []string
	end := func() {
		if len(paragraph) > 0 {
			lines = append(lines, Wrap(strings.Join(paragraph, " "), width)...)
		}
		paragraph = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || line[0] == ' ' {
			end()
			lines = append(lines, line)
			continue
		}
		paragraph = append(paragraph, line)
	}
	end()
	return strings.Join(lines, "\n")
}

// Beside writes a text in a column beside a word, or below it if the word is too long for that.
func Beside(word, text string, column, width int) string {
	var lines []string
	if visible(word) >= column {
		lines = append(lines, word)
		word = ""
	}
	for _, line := range Wrap(text, width-column) {
		gap := strings.Repeat(" ", column-visible(word))
		lines = append(lines, word+gap+line)
		word = ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// WrapUsage wraps how a command is called, and aligns what follows with its first argument. What
// stands in brackets stays together. name is the words that the text begins with.
func WrapUsage(name, text string, width int) string {
	var all []string
	depth := 0
	for _, word := range strings.Fields(strings.TrimPrefix(text, name)) {
		if depth > 0 {
			all[len(all)-1] += " " + word
		} else {
			all = append(all, word)
		}
		depth += strings.Count(word, "[") - strings.Count(word, "]")
	}
	margin := visible(name) + 1
	lines := wrapWords(all, width-margin)
	return strings.TrimRight(name+" "+strings.Join(lines, "\n"+strings.Repeat(" ", margin)), " ")
}
