package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/adopt"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func importCRMCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "crm",
		Usage:     "make a hawser.yaml of a set-up that was made with crm or pcs",
		ArgsUsage: "[FILE]",
		Description: "Reads the configuration of the cluster, or FILE, which is one that was saved with " +
			"`cibadmin -Q > FILE` (- is standard input; no cluster is needed then), and prints a " +
			"hawser.yaml that says the same: HAProxy and its addresses, where they prefer to be, which are " +
			"together, and what else belongs to them. Its first lines say what is kept, what is exchanged " +
			"and interrupts, what hawser.yaml cannot say, and step by step how to take it over while it " +
			"serves. Nothing is changed; `hawser adopt` does it.\n\n" +
			"  hawser import crm\n" +
			"  cibadmin -Q > cib.xml; hawser import crm cib.xml",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "file", Usage: "read the configuration that was saved in `FILE`"},
			&cli.StringFlag{
				Name: "token-file", Value: inventory.TokenFile,
				Usage: "where agents read tokens that are in the cluster's configuration now, " +
					"`FILE` (/etc/hawser/token)",
			},
			outputFlag(),
			&cli.BoolFlag{Name: "force", Usage: "overwrite the file if it is there"},
			jsonFlag(),
		},
		Action: sys.telling(func(c *cli.Context) error {
			files := c.Args().Slice()
			if c.IsSet("file") {
				files = append(files, c.String("file"))
			}
			switch {
			case len(files) > 1:
				return usagef("%s reads one file, not also %q: see `%[1]s --help`", c.Command.HelpName,
					files[1])
			case len(files) == 1 && files[0] == "", c.IsSet("output") && c.String("output") == "":
				return usagef("a file's name is empty: see `%s --help`", c.Command.HelpName)
			}
			saved := ""
			if len(files) == 1 {
				saved = files[0]
			}
			return sys.importCRM(c.Context, saved, c.String("token-file"), c.String("output"),
				c.Bool("force"))
		}),
	}
}

// importCRM prints or writes a hawser.yaml of the set-up in the file saved, or in the cluster if saved is
// "".
func (s *system) importCRM(ctx context.Context, saved, tokenFile, to string, force bool) error {
	if to == "-" {
		to = ""
	}
	if to != "" && !force {
		if err := adopt.CheckFreeFor(to, s.Root, "-o"); err != nil {
			return err
		}
	}
	cib, from, err := s.setUp(ctx, saved)
	if err != nil {
		return outcome.Untouched(ctx, err)
	}
	made, err := adopt.Import(cib, from, tokenFile)
	if err != nil {
		return err
	}
	s.reports(&made)
	out := s.aside(false)
	if !s.json {
		s.warnAll(made.Remarks)
	}
	if to == "" {
		out.printf("%s", made.YAML)
	} else {
		if err := s.writeYAML(to, []byte(made.YAML), adopt.Mode(made.File()), force); err != nil {
			return err
		}
		made.Written = to
		out.wrapf("Written to %s. Its first lines say how to take the set-up over; nothing in the cluster "+
			"was changed.\n", to)
		if full, err := filepath.Abs(to); err == nil && full == config.DefaultFiles()[0] {
			out.wrapf("`hawser adopt` writes its own file there: give it --force, or another name with -f.\n")
		}
	}
	if made.Outcome == adopt.WithRemarks {
		return silent(exitDegraded)
	}
	return nil
}

// setUp reads the configuration with the set-up.
func (s *system) setUp(ctx context.Context, saved string) (*crm.CIB, adopt.Source, error) {
	if saved == "" {
		cib, err := s.Cluster.Query(ctx)
		if outcome.Of(err) == outcome.Unavailable {
			err = outcome.After(err, "a configuration that was saved with `cibadmin -Q > FILE` is read "+
				"without a cluster: `hawser import crm FILE`")
		}
		if err != nil {
			return nil, adopt.Source{}, err
		}
		from := adopt.Source{}
		if status, err := s.Cluster.Status(ctx); err == nil { // or nobody has an address
			from.Holder = inventory.Holder(cib, status)
		}
		return cib, from, nil
	}
	text, err := interruptible(ctx, func() ([]byte, error) { return s.readSaved(saved) })
	name := saved
	if saved == "-" {
		name = "standard input"
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, adopt.Source{}, usagef("%s cannot be read: %w%s", name, outcome.Cause(err),
			outcome.AskRoot(s.Root))
	case outcome.Of(err) == outcome.Interrupted:
		return nil, adopt.Source{}, err
	case err != nil:
		return nil, adopt.Source{}, usagef("%s cannot be read: %w", name, outcome.Cause(err))
	}
	cib, err := crm.ParseCIB(text)
	if err != nil {
		return nil, adopt.Source{}, usagef("%s: %w; a configuration is saved with `cibadmin -Q > FILE`", name,
			err)
	}
	return cib, adopt.Source{Saved: name}, nil
}

// mostSaved is how large a configuration may be; those of the largest clusters are some megabytes.
const mostSaved = 256 << 20

func (s *system) readSaved(path string) ([]byte, error) {
	from := s.stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		from = file
	}
	text, err := io.ReadAll(io.LimitReader(from, mostSaved+1))
	if err == nil && len(text) > mostSaved {
		err = errors.New("it is larger than any configuration")
	}
	return text, err
}
