package haproxy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Source is a configuration file that was read. It answers questions that HAProxy itself would
// answer only once started, such as which addresses it would bind; Config.Check says whether it is
// valid.
type Source struct {
	File, Text string
}

// ReadSources reads files and, as HAProxy does, the files *.cfg of directories in the order of
// their names. A directory may be empty, but not all of them.
func ReadSources(paths []string) ([]Source, error) {
	var sources []Source
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read HAProxy's configuration: %w", err)
		}
		files := []string{path}
		if info.IsDir() {
			entries, err := os.ReadDir(path)
			if err != nil {
				return nil, fmt.Errorf("cannot read HAProxy's configuration: %w", err)
			}
			files = nil
			for _, entry := range entries {
				name := entry.Name()
				if !strings.HasSuffix(name, ".cfg") || strings.HasPrefix(name, ".") {
					continue
				}
				file := filepath.Join(path, name)
				info, err := os.Stat(file)
				if err != nil {
					return nil, fmt.Errorf("cannot read HAProxy's configuration: %w", err)
				}
				// HAProxy skips directories and FIFOs, and so must a list of what it would read
				if info.Mode().IsRegular() {
					files = append(files, file)
				}
			}
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("cannot read HAProxy's configuration: %w", err)
			}
			sources = append(sources, Source{file, string(text)})
		}
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("cannot read HAProxy's configuration: %w: there is no file *.cfg in "+
			"the directory %s", os.ErrNotExist, strings.Join(paths, ", nor in "))
	}
	return sources, nil
}

// Mentions reports whether the configuration uses an environment variable, in any notation:
// "$NAME", "${NAME}", env(NAME).
func Mentions(sources []Source, variable string) bool {
	for _, source := range sources {
		for line := range strings.Lines(source.Text) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") &&
				mentions(line, variable) {
				return true
			}
		}
	}
	return false
}

// mentions reports whether the name is in the text and is not a part of a longer one.
func mentions(text, name string) bool {
	for {
		before, after, ok := strings.Cut(text, name)
		if !ok {
			return false
		}
		if (before == "" || !nameByte(before[len(before)-1])) &&
			(after == "" || !nameByte(after[0])) {
			return true
		}
		text = after
	}
}

// nameByte reports whether a byte can be part of a variable's name.
func nameByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// Lines returns the words of each line of the file, quotes and variables resolved (Configuration
// Manual, sections 2.2 and 2.3). A variable that is not set is an empty word. Lines without words
// are left out.
func (s Source) Lines(getenv func(string) string) [][]string {
	var lines [][]string
	for l := range linesOf([]Source{s}, getenv) {
		for i, word := range l.words {
			l.words[i] = strings.ReplaceAll(word, vague, "")
		}
		lines = append(lines, l.words)
	}
	return lines
}

// splitLine splits a line at white space: a backslash takes the next character as it is, single
// quotes everything, double quotes white space, and only within double quotes variables are
// replaced. A # begins a comment. A NUL, with which HAProxy ends a line, does so here.
func splitLine(line string, getenv func(string) (string, bool)) []string {
	var words []string
	var word strings.Builder
	var quote byte
	open := false // the word exists, even if empty
	line, _, _ = strings.Cut(line, "\x00")
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && quote != '\'' && i+1 < len(line):
			i++
			word.WriteByte(line[i])
			open = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, open = c, true
		case quote == '"' && c == '$':
			value, length := variable(line[i:], getenv)
			word.WriteString(value)
			i += length - 1
		case quote == 0 && (c == ' ' || c == '\t'):
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
		case quote == 0 && c == '#':
			i = len(line)
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if open {
		words = append(words, word.String())
	}
	return words
}

// variable resolves a reference that begins with a $: $NAME, ${NAME}, ${NAME-default} and, for
// lists, ${NAME[*]}. length is how many bytes it takes up. One that has no value, and of which that
// is not known for sure, is vague.
func variable(text string, getenv func(string) (string, bool)) (value string, length int) {
	braced := strings.HasPrefix(text, "${")
	start := 1
	if braced {
		start = 2
	}
	end := start
	for end < len(text) && (nameByte(text[end]) || text[end] == '.') {
		end++
	}
	value, known := getenv(text[start:end])
	rest, closed := "", false
	if length = end; braced {
		if rest, _, closed = strings.Cut(text[end:], "}"); closed {
			length += len(rest) + 1
		} else {
			length = len(text)
		}
	}
	fallback, ok := strings.CutPrefix(rest, "-")
	switch {
	case value == "" && closed && ok:
		return fallback, length
	case value == "" && !known:
		return vague, length
	}
	return value, length
}

// Digest identifies a configuration: it is equal wherever the same files are in the same places.
func Digest(sources []Source) string {
	hash := sha256.New()
	for _, source := range sources {
		fmt.Fprintf(hash, "%q %q\n", source.File, source.Text)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// hashLength is the length of a Hash: 48 bits tell the configurations of a cluster apart.
const hashLength = 12

// Hash names a configuration, in a way that is short enough to show and that anybody can repeat:
// `sha256sum FILE | cut -c1-12`. Several files are named by what sha256sum prints about them, in the
// order in which HAProxy reads them: `sha256sum FILE… | sha256sum | cut -c1-12`.
func Hash(sources []Source) string {
	if len(sources) == 1 {
		return sumOf(sources[0].Text)[:hashLength]
	}
	var lines strings.Builder
	for _, source := range sources {
		fmt.Fprintf(&lines, "%s  %s\n", sumOf(source.Text), source.File)
	}
	return sumOf(lines.String())[:hashLength]
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// IsNamed reports whether a configuration has this name: its Hash, or what an earlier version, whose
// notes and demands may still be around, called so.
func IsNamed(sources []Source, hash string) bool {
	return hash == Hash(sources) || hash == Digest(sources)[:hashLength]
}
