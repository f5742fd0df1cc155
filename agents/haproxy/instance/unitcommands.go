package instance

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/param"
)

// The unit's command lines are not used, but they say what HAProxy reads, and what is run beside
// it, where systemd starts it.

// otherCommands returns the unit's commands that are not those of every distribution:
// "ExecReload=/usr/local/bin/save-state".
func otherCommands(s systemd.Settings) []string {
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

// unitFiles returns the files and directories that HAProxy reads where the unit starts it.
func unitFiles(s systemd.Settings) []string {
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

// missingFiles says which files HAProxy reads where its unit starts it and not under the cluster,
// and what to do; "" if there are none. A directory without a file in it is not missed, nor is
// anything by a resource that has nothing to do with the unit's configuration.
func (in *Instance) missingFiles(s systemd.Settings) string {
	theirs := unitFiles(s)
	mine := map[string]bool{}
	for _, path := range in.UserFiles() {
		for _, file := range filesBelow(path) {
			mine[file] = true
		}
	}
	var missing []string
	shared := false
	for _, path := range theirs {
		for _, file := range filesBelow(path) {
			if mine[file] {
				shared = true
			} else if !slices.Contains(missing, path) {
				missing = append(missing, path)
			}
		}
	}
	switch {
	case len(missing) == 0:
		return ""
	case !shared && in.Conffile != contract.DefaultConffile:
		return ""
	case !shared:
		return fmt.Sprintf("%s has HAProxy read %s, and the cluster's reads %s: set conffile=%s "+
			"(haproxy.config in hawser.yaml), or take the files out of the unit", in.Unit,
			strings.Join(theirs, " and "), strings.Join(in.UserFiles(), " and "), theirs[0])
	}
	var words []string
	for _, path := range missing {
		words = append(words, "-f", path)
	}
	return fmt.Sprintf("%s has HAProxy read %s too, and the cluster's does not: set extraconf=%q "+
		"(haproxy.extra in hawser.yaml)", in.Unit, strings.Join(missing, " and "),
		param.JoinWords(slices.Concat(in.Extraconf, words)))
}

// filesBelow returns the real paths of the files that HAProxy would read at a path. Those that
// cannot be found are not missed: HAProxy itself would report them.
func filesBelow(path string) []string {
	var files []string
	sources, _ := client.ReadSources([]string{path})
	for _, source := range sources {
		real, err := filepath.EvalSymlinks(source.File)
		if err != nil {
			real = source.File
		}
		files = append(files, real)
	}
	return files
}

// UnitFiles says which files HAProxy reads where its unit starts it and not under the cluster, and
// what to do; "" if there are none, or where systemd does not run the machine.
func UnitFiles(ctx context.Context, s Startup) (string, error) {
	in := Instance{Settings: Settings{
		Conffile:  cmp.Or(s.ConfFile, contract.DefaultConffile),
		Extraconf: s.ExtraConf, Unit: cmp.Or(s.Unit, contract.DefaultUnit),
	}, System: System{Systemd: thisSystemd()}}
	if in.Unit == param.NoService || !in.Systemd.Booted() {
		return "", nil
	}
	given, there, err := in.Systemd.Settings(ctx, in.Unit)
	if err != nil {
		return "", fmt.Errorf("what %s has HAProxy read is not known: %w", in.Unit, err)
	}
	if !there {
		return "", nil
	}
	return in.missingFiles(given), nil
}
