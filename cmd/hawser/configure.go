package main

import (
	"context"
	"io"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/edit"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func configureCommand(sys *system) *cli.Command {
	command := &cli.Command{
		Name:  "configure",
		Usage: "change single objects, as `crm configure` does",
		Description: "Understands the language of crmsh: what follows `crm configure` in a " +
			"tutorial may follow `hawser configure`. " +
			"Each call is one transaction, verified by Pacemaker before it is written. Options " +
			"of the form -x or --x are " +
			"words of that language here, except --help.",
		Action: sys.noCommand("hawser configure"),
	}
	add := func(name, usage, grammar, description string, action func(context.Context, []string) error) {
		full := "hawser configure " + name
		c := &cli.Command{
			Name: name, Usage: usage, UsageText: full + " " + grammar, Description: description,
			// The words are crmsh's: -inf: is a score, not an option.
			SkipFlagParsing: true,
		}
		c.Before = func(ctx *cli.Context) error {
			words := ctx.Args().Slice()
			if len(words) != 1 || words[0] != "--help" && words[0] != "-h" {
				return nil
			}
			if _, err := io.WriteString(sys.stdout, sys.commandHelp(full, c)); err != nil {
				return err
			}
			return silent(exitOK)
		}
		c.Action = func(ctx *cli.Context) error {
			return action(ctx.Context, ctx.Args().Slice())
		}
		command.Subcommands = append(command.Subcommands, c)
	}
	for _, st := range edit.Statements() {
		description := ""
		if st.Judged {
			description = force
		}
		add(st.Keyword, st.Usage, st.Grammar, description,
			func(ctx context.Context, words []string) error {
				return sys.configure(ctx, append([]string{st.Keyword}, words...))
			})
		command.Subcommands[len(command.Subcommands)-1].Aliases = st.Aliases
	}
	add("delete", "delete objects", "[--force] ID…",
		"Deletes all of the objects or none. A resource that runs is not deleted, or with "+
			"--force stopped first. An\n"+
			"object that others refer to is not deleted without them.", sys.delete)
	add("show", "print the configuration", "[xml] [--secrets] [ID…|type:KEYWORD…]",
		"Prints the objects as `crm configure show` does, and `hawser configure load` reads them "+
			"back unchanged. What may be a secret, such as a password, is printed as "+crm.Hidden+
			", which load takes for the one that is configured; --secrets prints it. `crm "+
			"configure load update` needs that, and reads everything but a bundle. With xml the "+
			"elements of the CIB are printed as they are, secrets included.", sys.show)
	add("load", "read statements from a file", "[update] FILE|-",
		"Sets every object that the file defines, in one transaction, and leaves the others "+
			"alone. - reads standard input. "+force, sys.load)
	return command
}

// force is what --force does to statements.
const force = "An agent that is not there, parameters that it does not have or lacks, values that " +
	"must differ from another resource's, and options of the cluster that Pacemaker does not " +
	"have are refused, unless --force is among the words."

// insists says whether --force is among the words, and returns the others.
func insists(words []string) (rest []string, yes bool) {
	rest = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "--force" })
	return rest, len(rest) < len(words)
}

// configure runs one statement.
func (s *system) configure(ctx context.Context, words []string) error {
	words, insisted := insists(words)
	return s.editor().Define(ctx, words, insisted)
}

func (s *system) editor() edit.Editor {
	return edit.Editor{Cluster: s.Cluster, Linter: s.Linter(), Warn: s.warnAll}
}

func (s *system) delete(ctx context.Context, words []string) error {
	force := false
	ids := slices.DeleteFunc(slices.Clone(words), func(w string) bool {
		option := w == "--force" || w == "-f"
		force = force || option
		return option
	})
	if len(ids) == 0 {
		return usagef("delete what? name the objects' ids: `hawser configure show` prints them")
	}
	stopped := false
	if s.Running {
		var err error
		t := s.startTicker()
		stopped, err = change.StopFirst(ctx, s.Cluster, ids, force, settleTime, t.Set)
		t.Close()
		if err != nil {
			return err
		}
	}
	err := s.editor().Delete(ctx, ids)
	if err != nil && stopped {
		const left = "what was to be deleted has been stopped, and has the target role Stopped: delete it " +
			"once more, or start it (`hawser start ID`)"
		if outcome.Of(err) == outcome.Interrupted {
			return exitf(outcome.Interrupted, "interrupted: nothing was deleted, and %s", left)
		}
		return outcome.After(err, left)
	}
	return err
}

func (s *system) show(ctx context.Context, words []string) error {
	revealed := slices.Contains(words, "--secrets")
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "--secrets" })
	cib, err := s.Cluster.Query(ctx)
	if err != nil {
		return err
	}
	asXML := len(words) > 0 && words[0] == "xml"
	if asXML {
		words = words[1:]
	}
	if asXML && len(words) == 0 {
		_, err := s.stdout.Write(append(cib.XML(), '\n'))
		return err
	}
	objects := cib.Objects()
	if len(words) > 0 {
		if objects, err = crm.Select(objects, words); err != nil {
			return err
		}
	}
	if asXML {
		_, err = s.stdout.Write(cib.Elements(objects))
		return err
	}
	if !revealed {
		objects = crm.Shown(objects)
	}
	_, err = io.WriteString(s.stdout, crm.FormatShell(objects))
	return err
}

func (s *system) load(ctx context.Context, words []string) error {
	words, insisted := insists(words)
	if len(words) == 2 {
		switch words[0] {
		case "update":
			words = words[1:]
		case "replace", "push":
			return usagef(
				"load %s would delete what the file does not name: hawser only knows load update",
				words[0])
		}
	}
	if len(words) != 1 {
		return usagef("load takes one file, or - for standard input: see `hawser configure load " +
			"--help`")
	}
	file := words[0]
	var text []byte
	var err error
	if file == "-" {
		file = "standard input"
		text, err = interruptible(ctx, func() ([]byte, error) { return io.ReadAll(s.stdin) })
	} else {
		text, err = interruptible(ctx, func() ([]byte, error) { return os.ReadFile(file) })
	}
	switch {
	case outcome.Of(err) == outcome.Interrupted:
		return err
	case err != nil:
		return usagef("%s cannot be read: %v", file, outcome.Cause(err))
	}
	return s.editor().Load(ctx, file, text, insisted)
}
