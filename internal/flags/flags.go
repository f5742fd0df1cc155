// Package flags lets options follow a command's arguments, as people type them, says what a mistaken
// one may have meant, and has the option --help.
//
// It imports words. Open this file first.
package flags

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// First moves the flags of a command before its arguments, where the library expects them, so that
// `probe URL --every 10ms` works like `probe --every 10ms URL`. The commands listed in but, which
// run a command of their own, keep the order of their arguments, and so do commands that parse no
// flags.
func First(app *cli.App, args []string, but ...string) []string {
	if len(args) == 0 {
		return args
	}
	head, rest := args[:1:1], args[1:]
	commands, flags := app.Commands, app.Flags
	var found *cli.Command
	for len(rest) > 0 {
		if strings.HasPrefix(rest[0], "-") && len(rest[0]) > 1 {
			n := min(Width(flags, rest[0]), len(rest))
			head, rest = append(head, rest[:n]...), rest[n:]
			continue
		}
		next := Named(commands, rest[0])
		if next == nil {
			break
		}
		found, commands, flags = next, next.Subcommands, next.Flags
		head, rest = append(head, rest[0]), rest[1:]
	}
	if found == nil || found.SkipFlagParsing || slices.Contains(but, found.Name) {
		return append(head, rest...)
	}
	var front, back []string
	for len(rest) > 0 {
		if rest[0] == "--" {
			back = append(back, rest...)
			break
		}
		n := 1
		if strings.HasPrefix(rest[0], "-") && len(rest[0]) > 1 {
			n = min(Width(flags, rest[0]), len(rest))
			front = append(front, rest[:n]...)
		} else {
			back = append(back, rest[0])
		}
		rest = rest[n:]
	}
	return append(append(head, front...), back...)
}

// Width is how many arguments the flag takes up: 2 if its value follows it.
func Width(flags []cli.Flag, arg string) int {
	if strings.Contains(arg, "=") {
		return 1
	}
	word := strings.TrimLeft(arg, "-")
	for _, f := range flags {
		for _, name := range f.Names() {
			doc, ok := f.(cli.DocGenerationFlag)
			if name == word && ok && doc.TakesValue() {
				return 2
			}
		}
	}
	return 1
}

// Named returns the command of that name, nil if there is none.
func Named(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}
