package haproxy

import (
	"path/filepath"
	"strings"
)

// Relocated returns the sources as they have to be written to mean the same in another place: the
// directory of a file counts where the configuration has `default-path config` or `parent`. It
// fails where it is not known whether it has.
func Relocated(sources []Source) (moved []Source, ok bool) {
	byFile := ""
	for _, source := range sources {
		var text strings.Builder
		if dir := directoryFor(byFile, source.File); dir != "" {
			if !quotable(dir) {
				return nil, false
			}
			// it goes on counting in the files that follow, each with its own directory
			text.WriteString("global\n\tdefault-path origin '" + dir + "'\n")
		}
		lines := map[int]string{}
		for l := range linesOf([]Source{source}, func(string) string { return "" }) {
			if l.words[0] != "default-path" || len(l.words) < 2 {
				continue
			}
			dir := directoryFor(l.words[1], source.File)
			switch {
			case !sure(l.words[1]) || l.conditional && (dir != "" || byFile != ""),
				!quotable(dir):
				return nil, false
			case dir != "":
				lines[l.number] = "\tdefault-path origin '" + dir + "'\n"
			}
			if byFile = ""; dir != "" {
				byFile = l.words[1]
			}
		}
		number := 0
		for line := range strings.Lines(source.Text) {
			number++
			if other, replaced := lines[number]; replaced {
				line = other
			}
			text.WriteString(line)
		}
		moved = append(moved, Source{source.File, text.String()})
	}
	return moved, true
}

// directoryFor returns the directory that `default-path` has HAProxy take for a file, "" if that
// does not depend on the file.
func directoryFor(mode, file string) string {
	switch mode {
	case "config":
		return filepath.Dir(file)
	case "parent":
		return filepath.Dir(file) + "/.."
	}
	return ""
}

// quotable reports whether a text can stand between single quotes in a configuration.
func quotable(text string) bool { return !strings.ContainsAny(text, "'\r\n\x00") }
