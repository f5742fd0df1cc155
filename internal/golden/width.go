package golden

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// screen is how wide a terminal is taken to be, unbroken the length from which on a word is no fault of
// whoever wraps the text.
const screen, unbroken = 80, 50

var (
	colours = regexp.MustCompile("\x1b\\[[0-9;]*m")
	// word is one of a text: what is quoted is a part of it.
	word = regexp.MustCompile("('[^']*')?(`[^`]*`|\"[^\"]*\"|[^ \t])*")
)

// TooWide lists the lines of a text for people that are longer than a terminal is wide, but for those
// with a word so long that they could not be broken: a path, an id, a command to be pasted.
func TooWide(text string) []string {
	var wide []string
	for line := range strings.SplitSeq(colours.ReplaceAllString(text, ""), "\n") {
		if columns(line) <= screen {
			continue
		}
		longest := 0
		for _, w := range word.FindAllString(line, -1) {
			longest = max(longest, utf8.RuneCountInString(w))
		}
		if longest < unbroken {
			wide = append(wide, line)
		}
	}
	return wide
}

// columns is how far a line reaches.
func columns(line string) int {
	at := 0
	for _, r := range line {
		at++
		if r == '\t' {
			at += 7 - (at-1)%8
		}
	}
	return at
}
