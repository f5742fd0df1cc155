package systemd

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// largestFile is more than any environment can hold (execve(2): an argument has 128 KiB).
const largestFile = 1 << 20

func readSmall(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, largestFile+1))
	if err == nil && len(text) > largestFile {
		err = fmt.Errorf("%s is larger than an environment can be", path)
	}
	return string(text), err
}

// parseEnvironment reads the assignments of a file as systemd.exec(5) has it for EnvironmentFile=:
// lines NAME=value, of which those that begin with # or ; are comments; a backslash at the end
// continues on the next line; text between quotes keeps its spaces, and in double quotes a
// backslash before " \ ` $ or a newline is removed. Lines that are not assignments are skipped, as
// by systemd.
func parseEnvironment(text string) []string {
	var env []string
	for text != "" {
		text = strings.TrimLeft(text, " \t\r\n")
		if strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";") {
			_, text, _ = strings.Cut(text, "\n")
			continue
		}
		at := strings.IndexAny(text, "=\n")
		if at < 0 {
			break
		}
		if text[at] == '\n' {
			text = text[at+1:]
			continue
		}
		name := strings.TrimSpace(text[:at])
		var value string
		value, text = environmentValue(text[at+1:])
		if isVariable(name) {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// environmentValue cuts a value off the beginning of the text.
func environmentValue(text string) (value, rest string) {
	text = strings.TrimLeft(text, " \t")
	var b strings.Builder
	// this much of b stays in any case: white space at the end is cut unless it was quoted
	solid := 0
	var quote byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote == 0 && c == '\n':
			return b.String()[:solid], text[i+1:]
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
			solid = b.Len()
			continue
		case quote != 0 && c == quote:
			quote = 0
			solid = b.Len()
			continue
		case c == '\\' && quote != '\'' && i+1 < len(text):
			i++
			if text[i] == '\n' {
				continue
			}
			if quote == '"' && !strings.ContainsRune("\"\\`$", rune(text[i])) {
				b.WriteByte('\\')
			}
			b.WriteByte(text[i])
			solid = b.Len()
			continue
		}
		b.WriteByte(c)
		if quote != 0 || c != ' ' && c != '\t' && c != '\r' {
			solid = b.Len()
		}
	}
	return b.String()[:solid], ""
}

func isVariable(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
