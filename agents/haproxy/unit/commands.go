package unit

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/param"
)

// OtherCommands returns the unit's commands that are not those of every distribution:
// "ExecReload=/usr/local/bin/save-state".
func OtherCommands(s systemd.Settings) []string {
	var all []string
	for _, setting := range slices.Sorted(maps.Keys(s.Commands)) {
		for _, command := range s.Commands[setting] {
			if setting != "ExecStart" && !usual(command) {
				all = append(all, setting+"="+shown(command))
			}
		}
	}
	return all
}

// shown returns the beginning of a command line.
func shown(command systemd.Command) string {
	const most = 60
	line := []rune(strings.Join(append([]string{command.Path},
		command.Args[min(1, len(command.Args)):]...), " "))
	if len(line) > most {
		return string(line[:most]) + "…"
	}
	return string(line)
}

// usual reports whether a command is one of the distributions' units: HAProxy's check of its
// configuration, or a signal to HAProxy.
func usual(command systemd.Command) bool {
	switch program := filepath.Base(command.Path); {
	case runsHAProxy(command):
		return slices.Contains(command.Args, "-c")
	default:
		return program == "kill" && slices.ContainsFunc(command.Args, func(word string) bool {
			return strings.Trim(word, "${}") == "MAINPID"
		})
	}
}

func runsHAProxy(command systemd.Command) bool {
	return strings.HasPrefix(filepath.Base(command.Path), "haproxy")
}

// Files returns the files and directories that HAProxy reads where the unit starts it.
func Files(s systemd.Settings) []string {
	var files []string
	for _, command := range s.Commands["ExecStart"] {
		if runsHAProxy(command) && len(command.Args) > 0 {
			words := resolved(command.Args[1:], s.Env)
			files = append(files, contract.ConfigFiles("/", words)[1:]...)
		}
	}
	return files
}

// resolved replaces the variables in a unit's command line (systemd.service(5), "Command lines"):
// $NAME as a word of its own is any number of words, ${NAME} a part of one, $$ a dollar.
func resolved(words, env []string) []string {
	var all []string
	for _, word := range words {
		if name, ok := strings.CutPrefix(word, "$"); ok && name != "" &&
			strings.IndexFunc(name, func(r rune) bool { return !variableRune(r) }) < 0 {
			if more, err := param.SplitWords(lastValue(env, name)); err == nil {
				all = append(all, more...)
			}
			continue
		}
		all = append(all, inserted(word, env))
	}
	return all
}

// inserted replaces ${NAME} and $$ in a word.
func inserted(word string, env []string) string {
	var text strings.Builder
	for {
		before, rest, ok := strings.Cut(word, "$")
		text.WriteString(before)
		if !ok {
			return text.String()
		}
		name, after, braced := strings.Cut(strings.TrimPrefix(rest, "{"), "}")
		switch {
		case strings.HasPrefix(rest, "{") && braced:
			text.WriteString(lastValue(env, name))
			word = after
		case strings.HasPrefix(rest, "$"):
			text.WriteByte('$')
			word = rest[1:]
		default:
			text.WriteByte('$')
			word = rest
		}
	}
}

// lastValue returns the value that counts: EnvironmentFile= comes after Environment=.
func lastValue(env []string, name string) string {
	for _, entry := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

func variableRune(r rune) bool {
	return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}
