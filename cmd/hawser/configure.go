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
	{"monitor", "add a monitor to a resource", "RESOURCE[:ROLE] INTERVAL[:TIMEOUT]"},
	{
		"ms", "run a resource on every node and promote some of its instances",
		"ID RESOURCE [meta NAME=VALUE…] [params NAME=VALUE…]",
	},
	{
		"node", "set attributes of a node",
		"[ID:] NAME[:TYPE] [attributes NAME=VALUE…] [utilization NAME=VALUE…]",
	},
	{
		"rsc_template", "define what resources have in common",
		"ID CLASS:[PROVIDER:]TYPE [params NAME=VALUE…] [meta NAME=VALUE…] [utilization " +
			"NAME=VALUE…] [op NAME [NAME=VALUE…]]…",
	},
	{
		"rsc_ticket", "let resources run only where a ticket is granted",
		"ID TICKET: RESOURCE[:ROLE]… [loss-policy=stop|demote|fence|freeze]",
	},
	{
		"fencing_topology", "say which devices fence which nodes, in which order",
		"[NODE:|pattern:REGEX|attr:NAME=VALUE] DEVICE[,DEVICE…]…",
	},
	{
		"alert", "have a program told of events",
		"ID PATH [attributes NAME=VALUE…] [meta NAME=VALUE…] [select KIND…] [to RECIPIENT]…",
	},
	{"role", "define what users may read and write", "ID {read|write|deny} SPEC:VALUE…"},
	{"acl_target", "give a user roles", "USER ROLE…"},
	{"acl_group", "give the users of a system group roles", "GROUP ROLE…"},
	{"xml", "write an object of any kind", "'<ELEMENT …>'"},
}

// otherNames are further words that crmsh has for statements.
var otherNames = map[string][]string{"colocation": {"collocation"}, "ms": {"master"}}

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
		description := ""
		if judged[st.keyword] {
			description = force
		}
		add(st.keyword, st.usage, st.grammar, description,
			func(ctx context.Context, words []string) error {
				return sys.configure(ctx, append([]string{st.keyword}, words...))
			})
		command.Subcommands[len(command.Subcommands)-1].Aliases = otherNames[st.keyword]
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

// force is what --force does to statements, judged are those to which it does something.
const force = "An agent that is not there, parameters that it does not have or lacks, values that " +
	"must differ from another resource's, and options of the cluster that Pacemaker does not " +
	"have are refused, unless --force is among the words."

var judged = map[string]bool{"primitive": true, "property": true}

// insists says whether --force is among the words, and returns the others.
func insists(words []string) (rest []string, yes bool) {
	rest = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "--force" })
	return rest, len(rest) < len(words)
}

// configure runs one statement.
func (s *system) configure(ctx context.Context, words []string) error {
	words, insisted := insists(words)
	script, err := crm.ParseWords(words)
	if err != nil {
		return err
	}
	return s.change(ctx, insisted, func(cib *crm.CIB) (crm.Plan, error) {
		if err := refuseKnown(cib, script.Objects); err != nil {
			return crm.Plan{}, err
		}
		objects, err := script.On(cib)
		if err != nil {
			return crm.Plan{}, err
		}
		for i, o := range objects {
			if n, ok := o.(*crm.Node); ok {
				objects[i] = cib.Merged(n)
			}
		}
		return change.Edit(cib, objects, script.Delete)
	})
}

// refuseKnown refuses definitions of objects that exist, as crmsh does; options and attributes of
// nodes are set, not defined.
func refuseKnown(cib *crm.CIB, objects []crm.Object) error {
	for _, o := range objects {
		switch o.(type) {
		case *crm.Property, *crm.Node:
			continue
		}
		if old, ok := cib.Counterpart(o); ok {
			return usagef(
				"%s: the id is in use: %s\ndelete that first, or change it with `hawser "+
					"configure load`",
				crm.Title(o), crm.WithoutSecrets(old))
		}
	}
	return nil
}

// change makes one transaction of a plan, checked before it is written unless somebody insists, and
// verified by Pacemaker.
func (s *system) change(ctx context.Context, insisted bool, plan change.Planner) error {
	warned := false
	checking := func(cib *crm.CIB) (crm.Plan, error) {
		p, err := plan(cib)
		if err != nil || insisted {
			return p, err
		}
		warnings, err := s.Linter().Check(ctx, p)
		if !warned { // it is planned again if somebody else has written meanwhile
			s.warnAll(warnings)
			warned = true
		}
		return p, err
	}
	return change.Make(ctx, s.Cluster, checking, func(warning string) {
		s.warnAll([]string{warning})
	})
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
	err := s.change(ctx, true, func(cib *crm.CIB) (crm.Plan, error) {
		return change.Edit(cib, nil, ids)
	})
	if err != nil && stopped {
		return outcome.After(err,
			"what was to be deleted has been stopped, and has the target role Stopped: delete it "+
				"once more, or start it (`crm resource start ID`)")
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
	script, err := crm.ParseShell(file, text)
	if err != nil {
		return err
	}
	if script.Empty() {
		return usagef("%s defines nothing", file)
	}
	return s.change(ctx, insisted, func(cib *crm.CIB) (crm.Plan, error) {
		objects, err := script.On(cib)
		if err != nil {
			return crm.Plan{}, err
		}
		return change.Edit(cib, objects, script.Delete)
	})
}
