package words

import (
	"strings"
	"unicode/utf8"
)

// Wrap breaks a text between words into lines of at most so many columns. A word that is longer
// stands in a line of its own.
func Wrap(text string, width int) []string { return wrapWords(strings.Fields(text), width) }

func wrapWords(all []string, width int) []string {
	var lines []string
	line := ""
	for _, word := range all {
		if line != "" &&
			utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
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
	if utf8.RuneCountInString(word) >= column {
		lines = append(lines, word)
		word = ""
	}
	for _, line := range Wrap(text, width-column) {
		gap := strings.Repeat(" ", column-utf8.RuneCountInString(word))
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
	margin := utf8.RuneCountInString(name) + 1
	lines := wrapWords(all, width-margin)
	return strings.TrimRight(name+" "+strings.Join(lines, "\n"+strings.Repeat(" ", margin)), " ")
}
