package main

import (
	"context"
	"io"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// statements are the keywords of crmsh's configuration language that create or change one thing.
var statements = []struct{ keyword, usage, grammar string }{
	{
		"primitive", "define a resource",
		"ID CLASS:[PROVIDER:]TYPE [params NAME=VALUE…] [meta NAME=VALUE…] [utilization " +
			"NAME=VALUE…] [op NAME [NAME=VALUE…]]…",
	},
	{
		"clone", "run a resource or group on every node",
		"ID RESOURCE [meta NAME=VALUE…] [params NAME=VALUE…]",
	},
	{
		"group", "run resources together, in order",
		"ID RESOURCE… [meta NAME=VALUE…] [params NAME=VALUE…]",
	},
	{"colocation", "place resources together or apart", "ID SCORE: RESOURCE[:ROLE] WITH[:ROLE]"},
	{
		"order", "start resources in order",
		"ID [KIND:] FIRST[:ACTION] THEN[:ACTION] [symmetrical=BOOL]",
	},
	{"location", "let a resource prefer or avoid a node", "ID RESOURCE SCORE: NODE"},
	{"property", "set options of the cluster", "NAME=VALUE…"},
	{"rsc_defaults", "set defaults of all resources", "NAME=VALUE…"},
	{"op_defaults", "set defaults of all operations", "NAME=VALUE…"},
	{"tag", "name a set of objects", "ID: OBJECT…"},
}

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
	for _, st := range statements {
		add(st.keyword, st.usage, st.grammar, "", func(ctx context.Context, words []string) error {
			return sys.configure(ctx, append([]string{st.keyword}, words...))
		})
	}
	add("delete", "delete objects", "[--force] ID…",
		"Deletes all of the objects or none. A resource that runs is not deleted, or with "+
			"--force stopped first. An\n"+
			"object that others refer to is not deleted without them.", sys.delete)
	add("show", "print the configuration", "[xml] [ID…|type:KEYWORD…]",
		"Prints the objects as `crm configure show` does; `hawser configure load` and `crm "+
			"configure load update` read it\n"+
			"back unchanged. With xml, the objects' place in the CIB is printed as it is.", sys.show)
	add("load", "read statements from a file", "[update] FILE|-",
		"Sets every object that the file defines, in one transaction, and leaves the others "+
			"alone. - reads standard input.", sys.load)
	return command
}

// configure runs one statement.
func (s *system) configure(ctx context.Context, words []string) error {
	script, err := crm.ParseWords(words)
	if err != nil {
		return err
	}
	return s.change(ctx, func(cib *crm.CIB) (crm.Plan, error) {
		if err := refuseKnown(cib, script.Objects); err != nil {
			return crm.Plan{}, err
		}
		return change.Edit(cib, script.Objects, script.Delete)
	})
}

// refuseKnown refuses definitions of objects that exist, as crmsh does; options are set, not
// defined.
func refuseKnown(cib *crm.CIB, objects []crm.Object) error {
	for _, o := range objects {
		if _, ok := o.(*crm.Property); ok {
			continue
		}
		if old, ok := cib.Object(o.ID()); ok {
			return usagef(
				"%s: the id is in use: %s\ndelete that first, or change it with `hawser "+
					"configure load`",
				crm.Title(o), crm.WithoutSecrets(old))
		}
	}
	return nil
}

// change makes one transaction of a plan, verified before it is written.
func (s *system) change(ctx context.Context, plan change.Planner) error {
	return change.Make(ctx, s.Cluster, plan, func(warning string) { s.warnAll([]string{warning}) })
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
	err := s.change(ctx, func(cib *crm.CIB) (crm.Plan, error) { return change.Edit(cib, nil, ids) })
	if err != nil && stopped {
		return outcome.After(err,
			"what was to be deleted has been stopped, and has the target role Stopped: delete it "+
				"once more, or start it (`crm resource start ID`)")
	}
	return err
}

func (s *system) show(ctx context.Context, words []string) error {
	cib, err := s.Cluster.Query(ctx)
	if err != nil {
		return err
	}
	if len(words) > 0 && words[0] == "xml" {
		if len(words) > 1 {
			return usagef("show xml prints the whole configuration and takes no ids")
		}
		_, err := s.stdout.Write(append(cib.XML(), '\n'))
		return err
	}
	objects := cib.Objects()
	if len(words) > 0 {
		if objects, err = crm.Select(objects, words); err != nil {
			return err
		}
	}
	_, err = io.WriteString(s.stdout, crm.FormatShell(objects))
	return err
}

func (s *system) load(ctx context.Context, words []string) error {
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
	script, err := crm.ParseShell(file, text)
	if err != nil {
		return err
	}
	if len(script.Objects)+len(script.Delete) == 0 {
		return usagef("%s defines nothing", file)
	}
	return s.change(ctx,
		func(cib *crm.CIB) (crm.Plan, error) {
			return change.Edit(cib, script.Objects,
				script.Delete)
		})
}
