package flags

import (
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// Given reports whether a switch was given, by a command line that First has sorted: also where the
// command does not have it, or is not known, so that the error can be in the form that was asked
// for. A value that is neither true nor false counts. What a command gets that is listed in but, or
// that parses no flags, is its own.
func Given(app *cli.App, args []string, name string, but ...string) bool {
	if len(args) == 0 {
		return false
	}
	given := false
	commands, known, found := app.Commands, app.Flags, false
	for rest := args[1:]; len(rest) > 0 && rest[0] != "--"; {
		word := rest[0]
		if strings.HasPrefix(word, "-") && len(word) > 1 {
			option, value, valued := strings.Cut(strings.TrimLeft(word, "-"), "=")
			if option == name {
				on, err := strconv.ParseBool(value)
				given = !valued || on || err != nil
			}
			rest = rest[min(Width(known, word), len(rest)):]
			continue
		}
		next := Named(commands, word)
		switch {
		case next == nil && found:
			return given // arguments, which options come before
		case next == nil:
			commands = nil // no command, and what follows may be meant for one
		case next.SkipFlagParsing, slices.Contains(but, next.Name):
			return given
		default:
			commands, known, found = next.Subcommands, next.Flags, true
		}
		rest = rest[1:]
	}
	return given
}
