// Package complete answers a shell that completes the program's command line. It looks at the words
// that were typed and runs nothing of what they say.
//
// It imports flags. Start with Words.
package complete

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/internal/flags"
)

// Asked is the last word of a command line that asks for a completion. Whatever the others are, the
// program then does nothing else.
const Asked = "--generate-bash-completion"

// What only the shell can list, in place of candidates: files, or commands and files.
const (
	Files    = ":files"
	Commands = ":commands"
)

// Candidate is a word that may be at the cursor.
type Candidate struct{ Word, Usage string }

// Source knows what the commands do not say about themselves. Its words are not sorted out by what
// is typed already; the shell does that.
type Source struct {
	// Argument returns what may follow the arguments of a command, such as "configure delete".
	Argument func(command string, before []string) []Candidate
	// Value returns what may be the value of an option.
	Value func(option string) []Candidate
	// Runs is the command that runs another command: what follows is that one's.
	Runs string
}

// Words returns what may be at the cursor. words are those after the program's name, as they are
// typed; the last one is at the cursor, and may be empty.
func Words(app *cli.App, words []string, source Source) []Candidate {
	if len(words) == 0 {
		words = []string{""}
	}
	before, cursor := words[:len(words)-1], words[len(words)-1]
	at := place{flags: app.Flags, commands: app.Commands}
	for len(before) > 0 && !at.ended {
		if before = at.pass(before, source.Runs); before == nil {
			return source.Value(at.option)
		}
	}
	at.args = append(at.args, before...)
	runs := at.found != nil && at.found.Name == source.Runs
	options := strings.HasPrefix(cursor, "-") && !at.ended &&
		(at.found == nil || !at.found.SkipFlagParsing)
	switch {
	case runs && len(at.args) > 0:
		return []Candidate{{Word: Files}}
	case options:
		return at.options(cursor, source)
	case runs:
		return []Candidate{{Word: Commands}}
	case len(at.commands) > 0 && len(at.args) == 0:
		return Of(at.commands)
	}
	return source.Argument(at.name, at.args)
}

// place is where on the command line the cursor is.
type place struct {
	found    *cli.Command // nil: before any
	name     string       // of the commands passed
	flags    []cli.Flag
	commands []*cli.Command // what may follow
	args     []string
	option   string // whose value is at the cursor
	ended    bool   // nothing more is an option
}

// pass takes the words that belong together off the beginning; nil if the last of them is at the
// cursor.
func (p *place) pass(words []string, runs string) []string {
	word := words[0]
	parsed := p.found == nil || !p.found.SkipFlagParsing
	if parsed && word == "--" {
		p.ended = true
		return words[1:]
	}
	if parsed && strings.HasPrefix(word, "-") && len(word) > 1 {
		n := flags.Width(p.flags, word)
		if len(words) > 1 && words[1] == "=" { // bash takes --for=lan for three words
			n = 3
		}
		if n > len(words) {
			p.option = strings.TrimLeft(word, "-")
			return nil
		}
		return words[n:]
	}
	if next := flags.Named(p.commands, word); next != nil && len(p.args) == 0 {
		p.found, p.flags, p.commands = next, next.Flags, next.Subcommands
		p.name = strings.TrimSpace(p.name + " " + next.Name)
		return words[1:]
	}
	p.args = append(p.args, word)
	p.ended = p.found != nil && p.found.Name == runs
	return words[1:]
}

// options returns the options of the command, or the values of one: --for=.
func (p *place) options(cursor string, source Source) []Candidate {
	if option, _, ok := strings.Cut(cursor, "="); ok {
		var all []Candidate
		for _, c := range source.Value(strings.TrimLeft(option, "-")) {
			if !strings.HasPrefix(c.Word, ":") {
				all = append(all, Candidate{option + "=" + c.Word, c.Usage})
			}
		}
		return all
	}
	var all []Candidate
	for _, f := range p.flags {
		usage := ""
		if doc, ok := f.(cli.DocGenerationFlag); ok {
			usage = strings.ReplaceAll(doc.GetUsage(), "`", "")
		}
		if hidden, ok := f.(cli.VisibleFlag); ok && !hidden.IsVisible() {
			continue
		}
		for _, name := range f.Names() {
			all = append(all, Candidate{flags.Dashed(name), usage})
		}
	}
	return all
}

// Of returns the commands that are shown.
func Of(commands []*cli.Command) []Candidate {
	var all []Candidate
	for _, c := range commands {
		if !c.Hidden {
			all = append(all, Candidate{c.Name, c.Usage})
		}
	}
	return all
}

// Plain returns the words as candidates, without those that a shell would not take as they are.
func Plain(words []string) []Candidate {
	var all []Candidate
	for _, w := range words {
		if w != "" && strings.IndexFunc(w, func(r rune) bool { return !plain(r) }) < 0 {
			all = append(all, Candidate{Word: w})
		}
	}
	return all
}

func plain(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		strings.ContainsRune("-_.@+", r)
}

// Lines is what the shell reads: a word, a tab and what it is for.
func Lines(all []Candidate) string {
	var b strings.Builder
	for _, c := range all {
		b.WriteString(c.Word)
		if c.Usage != "" {
			b.WriteString("\t" + strings.Join(strings.Fields(c.Usage), " "))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
